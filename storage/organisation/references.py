"""Tables against each other: units that exist, parents that make sense, shifts that do not collide."""

from collections import defaultdict
from collections.abc import Iterator, Set
from datetime import datetime, tzinfo

from storage.organisation.tables import GROUPS, PEOPLE, ROSTER, SITES, UNITS, Problem, Row, Tables, choice_names, error


def check_references(
    tables: Tables, known_units: Set[str] | None, known_people: Set[str] | None, zone: tzinfo
) -> Iterator[Problem]:
    """Everything wrong between tables. ``known_*``: ids to go by when the file lacks that table; None: not checked."""
    units = {row.text("unit_id") for row in tables[UNITS]} if UNITS in tables else known_units
    people = {row.text("person_id") for row in tables[PEOPLE]} if PEOPLE in tables else known_people
    if units is not None:
        for table in (PEOPLE, SITES, GROUPS, ROSTER):
            for row in tables[table]:
                if (value := row.text("unit_id")) and value not in units:
                    yield error("no_unit", table, row.line, "unit_id", value=value)
    if people is not None:
        for row in tables[ROSTER]:
            if (value := row.text("person_id")) and value not in people:
                yield error("no_person", ROSTER, row.line, "person_id", value=value)
    yield from _parents(tables)
    yield from _shifts(tables, zone)


def _parents(tables: Tables) -> Iterator[Problem]:
    rows: dict[str, Row] = {}
    for row in tables[UNITS]:
        if unit_id := row.text("unit_id"):
            rows.setdefault(unit_id, row)
    for row in tables[UNITS]:
        parent_id = row.text("parent_id")
        if not parent_id:
            continue
        if parent_id == row.text("unit_id"):
            yield error("own_parent", UNITS, row.line, "parent_id")
        elif parent_id not in rows:
            yield error("no_unit", UNITS, row.line, "parent_id", value=parent_id)
        else:
            yield from _parent(row, rows[parent_id])
    yield from _cycles(rows)


def _parent(row: Row, parent: Row) -> Iterator[Problem]:
    """Whether this parent fits: operations under operations of the same or a higher tier, customers beside theirs."""
    track, tier = UNITS.column("track"), UNITS.column("tier")
    ranks = list(choice_names(tier))
    own, above = row.choice(tier), parent.choice(tier)
    if not (own and above and row.choice(track) and parent.choice(track)):
        return
    name = parent.text("name")
    if row.choice(track) == "customer":
        if parent.choice(track) != "operations" or own != above:
            yield error("customer_parent", UNITS, row.line, "parent_id", parent=name)
    elif parent.choice(track) == "customer":
        yield error("parent_track", UNITS, row.line, "parent_id", parent=name)
    elif ranks.index(above) > ranks.index(own):
        yield error("parent_lower", UNITS, row.line, "parent_id", parent=name)


def _cycles(rows: dict[str, Row]) -> Iterator[Problem]:
    """One problem for each circle of parents, at its first row. Linear: every unit is walked once."""
    finished: set[str] = set()
    for start in rows:
        path: dict[str, None] = {}
        unit_id = start
        while unit_id in rows and unit_id not in finished and unit_id not in path:
            path[unit_id] = None
            unit_id = rows[unit_id].text("parent_id")
        if unit_id in path:
            walked = list(path)
            circle = walked[walked.index(unit_id) :]
            if len(circle) > 1:
                shown = " → ".join([*circle, unit_id])
                yield error("cycle", UNITS, rows[unit_id].line, "parent_id", path=shown)
        finished.update(path)


def _shifts(tables: Tables, zone: tzinfo) -> Iterator[Problem]:
    spans: dict[tuple[str, str], list[tuple[datetime, datetime, Row]]] = defaultdict(list)
    for row in tables[ROSTER]:
        starts, ends = row.moment("starts_at", zone), row.moment("ends_at", zone)
        if starts is None or ends is None:
            continue
        if ends <= starts:
            yield error("shift_order", ROSTER, row.line, "ends_at")
        else:
            spans[row.text("unit_id"), row.text("person_id")].append((starts, ends, row))
    for shifts in spans.values():
        yield from _overlaps(shifts)


def _overlaps(shifts: list[tuple[datetime, datetime, Row]]) -> Iterator[Problem]:
    """Shifts of one person in one unit that run into each other."""
    latest: tuple[datetime, Row] | None = None
    for starts, ends, row in sorted(shifts, key=lambda shift: (shift[0], shift[2].line)):
        if latest and starts < latest[0]:
            first, second = sorted([latest[1].line, row.line])
            yield error("shift_overlap", ROSTER, second, "starts_at", other=first)
        if latest is None or ends > latest[0]:
            latest = (ends, row)
