"""“现在正常了吗？”: asking the reporters whether it works again, and asking once more when nothing comes."""

from sqlmodel import col, update

from storage.messages import Address
from storage.models import Delivery, Fault
from storage.work import Work
from workflows import fault_voice, fault_words
from workflows.phrases import call
from workflows.turn import expect
from workflows.words import Words

WORDS = Words("fault_question")
ASKED = "fix_confirmation"
KINDS = ("fault:fixed", "fault:unconfirmed", "fault:asked_again")
"""The kinds of the question, by what makes it be asked."""


async def take_back(work: Work, fault: Fault) -> None:
    """What still waits for the end of night or noon to be asked is not asked any more."""
    waiting = update(Delivery).where(col(Delivery.about) == fault.number, col(Delivery.state) == "pending")
    await work.session.exec(waiting.where(col(Delivery.kind).in_(KINDS)).values(state="cancelled"))


async def ask(work: Work, fault: Fault, by: str, key: str, *, but: str = "") -> list[str]:
    """Ask each reporter where the report was made and, when that was a group, also directly.

    ``by``: who mended it, as said to others; ``but``: a person who needs no direct copy (who just spoke). Whoever
    mended it is not asked when others reported it too. Returns the conversations in which it was asked.
    """
    others = [person_id for person_id in fault.reporters if person_id != fault.owner]
    asked = []
    words = fault_words.describe(work, fault) | {"by": by}
    for conversation in fault.conversations:
        place = Address.parse(conversation)
        people = fault_voice.reporters_in(work, fault, conversation)
        people = [person for person in people if person.person_id in others or not others]
        if not people:
            continue
        asked.append(conversation)
        in_group = place.kind == "group"
        text = WORDS("group" if in_group else "direct", **words)
        await fault_voice.to_address(work, fault, place, text, key, mention=people)
        for person in people:
            await expect(work, person, ASKED, fault.number, conversation=conversation)
            if in_group and person.person_id != but:
                alone = WORDS("alone", call=call(person), **words)
                await fault_voice.to_person(work, fault, person, alone, key, skip=fault.conversations)
    return asked
