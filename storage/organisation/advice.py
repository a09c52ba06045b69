"""What is allowed but will surprise somebody: told at import, stops nothing."""

from collections.abc import Iterator

from storage.organisation.tables import PEOPLE, ROSTER, SITES, UNITS, Problem, Row, Tables, warning


def advise(tables: Tables) -> Iterator[Problem]:
    """Warnings about a faultless set of tables."""
    if not any(tables.rows.values()):
        yield warning("only_examples")
        return
    if UNITS in tables and PEOPLE in tables:
        yield from _units(tables)
    yield from _people(tables)
    yield from _sites(tables)
    if ROSTER in tables:
        yield from _roster(tables)


def _with_role(tables: Tables, role: str) -> list[Row]:
    roles = PEOPLE.column("roles")
    return [row for row in tables[PEOPLE] if role in row.choices(roles)]


def _units(tables: Tables) -> Iterator[Problem]:
    track, tier = UNITS.column("track"), UNITS.column("tier")
    rows = {row.text("unit_id"): row for row in tables[UNITS]}
    staffed = {row.text("unit_id") for row in _with_role(tables, "engineer")}
    for row in tables[UNITS]:
        if not row.text("parent_id") and (row.choice(tier) != "province" or row.choice(track) == "customer"):
            yield warning("no_parent", UNITS, row.line, "parent_id")
        if row.choice(track) == "operations" and row.text("unit_id") not in staffed:
            above = _staffed_above(row, rows, staffed)
            name = "no_engineers" if above else "no_engineers_above"
            yield warning(name, UNITS, row.line, parent=above.text("name") if above else "")


def _staffed_above(row: Row, rows: dict[str, Row], staffed: set[str]) -> Row | None:
    above = rows.get(row.text("parent_id"))
    while above and above.text("unit_id") not in staffed:
        above = rows.get(above.text("parent_id"))
    return above


def _people(tables: Tables) -> Iterator[Problem]:
    for row in tables[PEOPLE]:
        if not any(row.list(key) for key in ("email", "dingtalk_id", "wecom_id")):
            yield warning("no_channel", PEOPLE, row.line)


def _sites(tables: Tables) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    for row in tables[SITES]:
        first = seen.setdefault((row.text("unit_id"), row.text("name")), row.line)
        if first != row.line:
            yield warning("same_name", SITES, row.line, "name", other=first)


def _roster(tables: Tables) -> Iterator[Problem]:
    engineers = _with_role(tables, "engineer")
    if not tables[ROSTER]:
        yield warning("no_roster", ROSTER)
    else:
        rostered = {row.text("unit_id") for row in tables[ROSTER]}
        without = {row.text("unit_id") for row in engineers} - rostered
        for row in tables[UNITS]:
            if row.text("unit_id") in without:
                yield warning("no_shift", UNITS, row.line)
    if PEOPLE in tables:
        able = {row.text("person_id") for row in engineers}
        for row in tables[ROSTER]:
            if row.text("person_id") not in able:
                yield warning("not_engineer", ROSTER, row.line, "person_id", value=row.text("person_id"))
