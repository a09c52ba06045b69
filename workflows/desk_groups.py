"""An administrator binds a group with one sentence in it: “把本群设为临河县的保障群”."""

import re
from typing import Any

from storage.directory import REVISION, Directory
from storage.messages import Address
from storage.models import Group, Sighting, Unit
from workflows import choices
from workflows.authority import may
from workflows.turn import Turn
from workflows.words import Words

WORDS = Words("desk")
BIND = re.compile(WORDS.get("bind.match"))
LONGEST = 60


async def bind(turn: Turn) -> bool:
    """Bind the group in which the sentence is said. False when the message is no such sentence."""
    text = turn.incoming.text.strip()
    match = BIND.match(text) if len(text) <= LONGEST else None
    if match is None:
        return False
    if not may(turn.work.org, turn.person, "group.bind"):
        turn.audit("group.refused", str(turn.incoming.conversation))
        await turn.reply(WORDS("bind.not_allowed"))
    elif turn.direct:
        await turn.reply(WORDS("bind.only_in_group"))
    else:
        await _bind(turn, match["unit"].strip(), match["purpose"])
    return True


async def _bind(turn: Turn, name: str, purpose: str) -> None:
    found = units_called(turn.work.org, name, WORDS.get("bind.purposes")[purpose])
    if not found:
        await turn.reply(WORDS("bind.unknown_unit", unit=name))
    elif len(found) == 1:
        await _write(turn, found[0], purpose)
    else:
        options = [(unit.name, unit.unit_id) for unit in found]
        await choices.ask(turn, "bind", WORDS("bind.which", unit=name), options, pending={"purpose": purpose})


@choices.resumes("bind")
async def _picked(turn: Turn, pending: dict[str, Any], value: str) -> None:
    unit = turn.work.org.units.get(value)
    if unit is not None and may(turn.work.org, turn.person, "group.bind"):
        await _write(turn, unit, str(pending["purpose"]))


def units_called(org: Directory, name: str, purpose: str) -> list[Unit]:
    """Units of this name or alias (or owning the site of this name); for the customer track their customer units."""
    exact = [unit for unit in org.units.values() if name in (unit.name, *unit.aliases)]
    sited = [org.units[site.unit_id] for site in org.sites.values() if name in (site.name, *site.aliases)]
    part = [unit for unit in org.units.values() if name in unit.name]
    found = exact or sited or part
    if purpose == "customer_track":
        own = [unit for unit in found if unit.track == "customer"]
        found = own + [below for unit in found for below in org.children(unit.unit_id, "customer")]
    return list({unit.unit_id: unit for unit in found}.values())


async def _write(turn: Turn, unit: Unit, purpose: str) -> None:
    """The group's row; the organisation's revision grows, so that everybody sees it from the next message on."""
    work, place = turn.work, turn.incoming.conversation
    known = work.org.group_at(place)
    row = await work.session.get(Group, known.group_id if known else _id(place))
    row = row or Group(
        group_id=_id(place), platform=place.platform, conversation_id=place.id, name="", unit_id="", purpose=""
    )
    before = {"unit": row.unit_id, "purpose": row.purpose}
    row.unit_id, row.purpose, row.active = unit.unit_id, WORDS.get("bind.purposes")[purpose], True
    row.name = turn.incoming.conversation_name or row.name or f"{unit.name}{purpose}"
    work.session.add(row)
    await work.count(REVISION)
    if (seen := await work.session.get(Sighting, ("group", place.platform, place.id))) is not None:
        await work.session.delete(seen)
    turn.audit("group.bound", row.group_id, unit=row.unit_id, purpose=row.purpose, before=before)
    await turn.reply(WORDS("bind.done", unit=unit.name, purpose=purpose, then=WORDS(f"bind.then.{row.purpose}")))


def _id(place: Address) -> str:
    return f"{place.platform}:{place.id}"
