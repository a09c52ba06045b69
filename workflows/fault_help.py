"""People, spares, remote help: an engineer's call goes up the line, a client's wish to those who serve the site."""

from storage.models import Fault, Person
from workflows import fault_book as book
from workflows import fault_dispatch, fault_pick, fault_site, fault_voice, fault_words, manners
from workflows.people import upper_supervisors
from workflows.phrases import call, calls, fit
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("fault_help")


async def assist(turn: Turn) -> None:
    """“请派人支援”, “拜托借一台投影机”."""
    worker = "engineer" in turn.person.roles and not (turn.group and turn.group.purpose == "client")
    mine = await (fault_pick.mine_as_engineer if worker else fault_pick.mine_as_reporter)(turn, book.WORKING)
    if worker and mine:
        await fault_pick.do(turn, "assist", mine, "")
    else:
        await _wish(turn, mine)


@fault_pick.act("assist")
async def _assist(turn: Turn, fault: Fault) -> None:
    """The unit's supervisors and the city department (the next tier when there is none) hear what is needed."""
    own = turn.person.person_id in (fault.owner, *fault.extra.get("helpers", ()))
    if not await fault_pick.allowed(turn, fault, "fault.update", is_self=own):
        return
    work, org = turn.work, turn.work.org
    city = book.city_above(org, fault.unit_id)
    upper = org.on_duty(city, work.now) if city else upper_supervisors(org, fault.unit_id)
    people = _others(turn, [*org.supervisors(fault.unit_id), *upper])
    words = fault_words.describe(work, fault) | {"by": call(turn.person), "text": fit(turn.incoming.text)}
    for person in people:
        text = WORDS("needed", call=call(person), **words)
        await fault_voice.to_person(work, fault, person, text, f"assist:{turn.key}")
    fault_dispatch.remember(work, fault, (), [person.person_id for person in people])
    turn.audit("fault.assist", about=fault.number, text=turn.incoming.text)
    passed = await manners.told(work, WORDS, "passed_up", fault.number, people=calls(people), **words)
    await turn.reply(passed if people else WORDS("nobody", **words), about=fault.number)


def _others(turn: Turn, people: list[Person]) -> list[Person]:
    unique = {person.person_id: person for person in people}
    return [person for person in unique.values() if person.person_id != turn.person.person_id]


async def _wish(turn: Turn, faults: list[Fault]) -> None:
    """A wish of a client or coordinator: to whoever works on the fault, else to those on duty for the place."""
    work = turn.work
    sites = fault_site.named(turn) or fault_site.own(turn)
    fault = faults[0] if len(faults) == 1 else None
    about = fault.number if fault else ""
    unit_id = fault.unit_id if fault else book.unit_of(work.org, sites[0]) if sites else turn.person.unit_id
    owner = work.org.people.get(fault.owner or "") if fault else None
    people = _others(turn, [owner] if owner else fault_dispatch.on_duty(work, unit_id))
    people = people or _others(turn, work.org.supervisors(unit_id) or upper_supervisors(work.org, unit_id))
    place = fault_words.place(work, fault) if fault else sites[0].name if len(sites) == 1 else ""
    for person in people:
        text = WORDS("wish", call=call(person), place=place, by=turn.person.name, text=fit(turn.incoming.text))
        await fault_voice.send(work, person, text, f"wish:{turn.key}", about=about)
    turn.audit("assist.requested", about=fault.number if fault else "", text=turn.incoming.text, unit=unit_id)
    passed = await manners.told(work, WORDS, "wish_passed", about, people=calls(people))
    text = passed if people else WORDS("nobody")
    await turn.reply(text, about=about)
