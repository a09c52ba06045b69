"""Messages that mean little by themselves but go on with a fault: the place asked for, a correction, a report given."""

from dataclasses import replace

from workflows import (
    fault,
    fault_ask,
    fault_correct,
    fault_end,
    fault_hand,
    fault_progress,
    fault_refuse,
    fault_score,
    fault_site,
    fault_takeover,
)
from workflows.turn import Turn

READ_AS = ("ack", "none", "meeting.change", "meeting.query", "checklist.report", "assign")
"""What such messages are read as when nothing is known around them."""
GUESSES = ("fault.cancel", "fault.resolve", "fault.confirm", "fault.reject")
"""A guess at one of these is not acted upon before the words themselves have been looked at."""
REFUSED_AS = ("ack", "none", "assist.request")
"""What a no to a fault that was put to the speaker is read as."""
ADDED_AS = ("none", "meeting.notice", "meeting.query")
"""What a short word of a meeting that hangs on the speaker's fault is read as."""
ABOUT_MEETINGS = ("notice_confirmation", "step")


async def continued(turn: Turn) -> bool:
    """Whether the message went on with a fault of the speaker's; then that is done."""
    if await _plain_words(turn):
        return True
    guessed = turn.reading.act == "ask" and turn.reading.intent in GUESSES
    if not (guessed or turn.reading.intent in READ_AS) or any(row.kind in ABOUT_MEETINGS for row in turn.expectations):
        return False
    question = fault_site.waiting(turn)
    if question is not None and fault_site.named(turn):
        await fault_site.place_said(turn, question, fault.report_at)
        return True
    if turn.reading.intent == "ack" and await fault_end.says_mended(turn):
        await fault_end.resolve(turn)
        return True
    if turn.reading.intent == "ack":
        return await fault_progress.came_second(turn) or await fault_takeover.took_over(turn)
    if (guessed or turn.reading.intent in ("none", "assign")) and await fault_takeover.took_over(turn):
        return True
    unsure = guessed or turn.reading.intent == "none"
    if unsure and fault_end.says_good(turn):
        turn.reading = replace(turn.reading, act="act")
        await (fault_end.resolve if "engineer" in turn.person.roles else fault_end.confirm)(turn)
        return True
    if unsure and await fault_end.says_bad(turn):
        turn.reading = replace(turn.reading, act="act")
        await fault_end.reject(turn)
        return True
    return await fault_correct.corrected(turn) or await fault_progress.report_given(turn)


async def _plain_words(turn: Turn) -> bool:
    """What is plain whatever it was read as: a no, the bare word of a button, a grade."""
    if turn.reading.intent in REFUSED_AS and await fault_refuse.refused(turn):
        return True
    if turn.reading.intent in ("ack", "none") and fault_hand.is_button_word(turn):
        await fault_progress.assign(turn)
        return True
    if turn.reading.intent in ADDED_AS and await fault_ask.added(turn):
        return True
    return turn.reading.intent == "none" and await fault_score.given(turn)
