"""A message that does not prove who wrote it may report a fault, and nothing else: the one place where that is held.

The fault is marked. Everything else (acknowledging, publishing, handing over, closing, undoing, picking, teaching) is
answered with a polite word and, where the matter is known, with a button: pressing it proves that the mailbox is
theirs. Open questions are left alone: an unproven answer is no answer.
"""

from dataclasses import replace

from intents.reading import Reading
from storage.messages import Action
from workflows import fault
from workflows.people import by_mail_only
from workflows.reader import Reader, numbers_in
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("unproven")
VERBS = {"HY": ("ack", "received"), "GZ": ("take", "take")}


async def handle(turn: Turn, reader: Reader) -> bool:
    """Do what such a message may do; False when nothing in it was understood."""
    turn.expectations = []
    if turn.incoming.click:
        await _ask_for_proof(turn)
        return True
    readings = await reader.read(turn.work, turn.incoming, turn.person, turn.group, ())
    turn.audit("message.unproven", intents=[reading.intent for reading in readings])
    reports = [reading for reading in readings if _is_report(reading)]
    for reading in reports:
        one = replace(turn, reading=reading, said=turn.said)
        await fault.report_unproven(one, WORDS("where"))
        turn.said = one.said
    if reports:
        return True
    if all(reading.intent == "none" for reading in readings) and not turn.incoming.attachments:
        return False
    await _ask_for_proof(turn)
    return True


def _is_report(reading: Reading) -> bool:
    return reading.intent == "fault.report" and reading.slots.get("level") != "consult"


async def _ask_for_proof(turn: Turn) -> None:
    quoted = turn.incoming.quote.text if turn.incoming.quote else ""
    numbers = tuple(dict.fromkeys((*turn.numbers, *numbers_in(quoted))))
    alone = "_mail" if by_mail_only(turn.work.org, turn.person, turn.work.platforms) else ""
    if len(numbers) != 1:
        await turn.reply(WORDS(f"ask{alone}"))
        return
    verb, label = VERBS[numbers[0][:2]]
    button = Action(label=WORDS(label), value=f"{verb}:{numbers[0]}", say="")
    await turn.reply(WORDS(f"ask_number{alone}", number=numbers[0]), about=numbers[0], actions=[button])
