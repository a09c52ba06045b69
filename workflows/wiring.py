"""What the workflows plug into the ground: one table of handlers, timers and renderers."""

from collections.abc import Mapping
from functools import partial

from storage.directory import Directory
from storage.engine import Escalate
from storage.models import Obligation
from storage.runtime import Logic
from storage.sender import Renderer
from storage.work import Work
from workflows import (
    checklist_end,
    checklist_steps,
    digest,
    escalation,
    escalation_words,
    failures,
    fault_clock,
    fault_voice,
    helper,
    manners,
    meeting_clock,
    notice,
    notice_echo,
    notice_tally,
    paper,
)
from workflows.router import Router, bury
from workflows.vocabulary import Vocabulary
from workflows.words import Words

LADDERS: Mapping[str, Escalate] = {
    "fault_ack": fault_clock.climb_untaken,
    "progress": fault_clock.climb,
    "promise": fault_clock.climb,
}
"""Kinds of debt whose rungs are not the usual ones."""


RENDERERS: Mapping[str, Renderer] = {
    notice_tally.KIND: notice_tally.render,
    notice_echo.KIND: notice_echo.render,
    fault_voice.RENDERER: fault_voice.render,
    escalation.RENDERER: escalation_words.render_escalation,
    escalation.CLEAR: escalation_words.render_all_clear,
    checklist_steps.RENDERER: checklist_steps.render,
}
"""What makes words at the moment of sending."""

WAITS = (
    "notice",
    "tally",
    notice_echo.KIND,
    checklist_end.SHUTDOWN_TIMER,
    failures.WATCH,
    failures.ADVICE,
    paper.READY,
    paper.LATE,
    helper.KIND,
)
"""Timers that only wait a while: a clock that is set back takes them along. The others are moments that were told."""


async def escalate(work: Work, obligation: Obligation, rung: str, late: bool) -> bool:
    """Tell whoever a rung names, by the kind of debt."""
    return await LADDERS.get(obligation.kind, escalation.climb)(work, obligation, rung, late)


def logic(org: Directory, adviser: helper.Adviser | None = None) -> Logic:
    """All workflows, ready to be given to a Runtime; what the first message needs of ``org`` is prepared now.

    ``adviser``: the optional outside helper for what the rules leave open.
    """
    vocabulary = Vocabulary()
    router = Router(org, vocabulary, has_helper=adviser is not None)
    return Logic(
        handle=router.handle,
        bury=bury,
        escalate=escalate,
        timers={
            "notice": notice.spread,
            "tally": notice_tally.on_timer,
            "tally_due": notice_tally.on_due,
            notice_echo.KIND: notice_echo.on_timer,
            "meeting_start": meeting_clock.on_start,
            "meeting_end": meeting_clock.on_end,
            fault_clock.OBSERVED: fault_clock.on_observed,
            fault_clock.UNCONFIRMED: fault_clock.on_unconfirmed,
            checklist_end.SHUTDOWN_TIMER: checklist_end.shut_down_slice,
            checklist_end.SUMMARY_TIMER: checklist_end.send_summary,
            failures.WATCH: failures.watch,
            failures.ADVICE: failures.pass_advice_on,
            paper.READY: router.paper_ready,
            paper.LATE: paper.on_late,
            manners.RELEASE: digest.release,
            helper.KIND: helper.on_timer,
        },
        renderers={**RENDERERS, digest.KIND: partial(digest.render, RENDERERS)},
        on_failure=failures.turn_to_next_channel,
        on_advice=failures.advised,
        on_stuck=failures.keeps_failing,
        resend_mark=Words("escalation")("resend_mark"),
        on_file=paper.kept,
        inspect=paper.inspect,
        on_lost=paper.lost,
        refresh=vocabulary.look,
        manners=manners.earliest,
        still_mannerly=manners.still,
        waits=WAITS,
        parts=[partial(helper.Helper, adviser=adviser, reader=router.reader)] if adviser is not None else [],
    )
