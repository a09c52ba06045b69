"""Who may do what: the table ``authority.toml``, read literally. What the table does not allow is forbidden."""

from storage.directory import Directory
from storage.models import Person
from workflows.words import Words

RIGHTS: dict[str, list[str]] = Words("authority").get("rights")


def may(org: Directory, person: Person, right: str, unit_id: str = "", *, is_self: bool = False) -> bool:
    """Whether ``person`` has ``right`` over the unit concerned. ``is_self``: the matter is the person's own."""
    return any(_fits(org, person, rule, unit_id, is_self) for rule in RIGHTS.get(right, ()))


def _fits(org: Directory, person: Person, rule: str, unit_id: str, is_self: bool) -> bool:
    role, relation = rule.split("@")
    if role not in person.roles:
        return False
    if relation == "self":
        return is_self
    return relation == "any" or (bool(unit_id) and _related(org, person, relation, unit_id))


def _related(org: Directory, person: Person, relation: str, unit_id: str) -> bool:
    if relation == "own":
        return person.unit_id == unit_id
    if relation == "serving":
        return any(engineer.person_id == person.person_id for engineer in org.engineers(unit_id))
    operations = org.operations_unit(person.unit_id)
    return operations is not None and any(unit.unit_id == operations.unit_id for unit in org.upward(unit_id))
