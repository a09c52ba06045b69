"""What the workflows plug into the ground: one table of handlers, timers and renderers."""

from storage.runtime import Logic
from workflows import checklist_end, checklist_steps, escalation, escalation_words, failures
from workflows.router import Router, bury
from workflows.words import Words


def logic() -> Logic:
    """All workflows, ready to be given to a Runtime."""
    return Logic(
        handle=Router().handle,
        bury=bury,
        escalate=escalation.climb,
        timers={
            checklist_end.SHUTDOWN_TIMER: checklist_end.shut_down_slice,
            checklist_end.SUMMARY_TIMER: checklist_end.send_summary,
        },
        renderers={
            escalation.RENDERER: escalation_words.render_escalation,
            escalation.CLEAR: escalation_words.render_all_clear,
            checklist_steps.RENDERER: checklist_steps.render,
        },
        on_failure=failures.turn_to_next_channel,
        resend_mark=Words("escalation")("resend_mark"),
    )
