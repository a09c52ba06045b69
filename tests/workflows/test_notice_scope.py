"""From sites to units, people and groups, over random provinces."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from storage.directory import Directory
from storage.models import Group, Person, Site, Unit
from workflows.meeting_scope import in_area, ordered, outside, whole_area
from workflows.notice_scope import audience, copied_units, owing_units

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TIERS = ("city", "county", "township")


@st.composite
def provinces(draw: st.DrawFn) -> Directory:
    """A tree of operations units with customer units, sites, people and groups hung on at random."""
    units = [Unit(unit_id="P", name="省", tier="province")]
    units.append(Unit(unit_id="PK", name="客", tier="province", parent_id="P", track="customer"))
    for number in range(draw(st.integers(1, 12))):
        higher = [unit for unit in units if unit.track == "operations" and unit.tier != "township"]
        above = draw(st.sampled_from(higher))
        tier = TIERS[("province", "city", "county").index(above.tier)]
        units.append(Unit(unit_id=f"U{number}", name=f"单位{number}", tier=tier, parent_id=above.unit_id))
        if draw(st.booleans()):
            customer = Unit(unit_id=f"K{number}", name=f"客{number}", tier=tier, track="customer")
            customer.parent_id = f"U{number}"
            units.append(customer)
    some = st.lists(st.sampled_from([unit.unit_id for unit in units]), max_size=12)
    operations = st.sampled_from([unit.unit_id for unit in units if unit.track == "operations"])
    owners = draw(st.lists(operations, max_size=10))
    sites = [Site(site_id=f"S{n}", name=f"会场{n}", unit_id=one) for n, one in enumerate(owners)]
    people = [
        Person(person_id=f"p{n}", name="王平", unit_id=one, roles=[draw(st.sampled_from(["engineer", "coordinator"]))])
        for n, one in enumerate(draw(some))
    ]
    groups = [
        Group(
            group_id=f"G{n}",
            platform="dingtalk",
            conversation_id=f"c{n}",
            name=f"群{n}",
            unit_id=one,
            purpose=draw(st.sampled_from(["support", "customer_track", "client", "supervisors"])),
        )
        for n, one in enumerate(draw(some))
    ]
    return Directory(units=units, people=people, sites=sites, groups=groups)


@given(provinces())
def test_owing_are_the_units_of_the_sites_and_the_customer_units_under_them(org: Directory) -> None:
    units = owing_units(org, list(org.sites))
    owners = {site.unit_id for site in org.sites.values()}
    under = {unit.unit_id for unit in org.units.values() if unit.track == "customer" and unit.parent_id in owners}
    assert set(units) == owners | under
    assert len(units) == len(set(units))


@given(provinces())
def test_copies_go_upward_only_and_owe_nothing(org: Directory) -> None:
    units = owing_units(org, list(org.sites)[:3])
    copied = {unit.unit_id for unit in copied_units(org, units)}
    assert not copied & set(units)
    assert all(org.units[one].track == "operations" for one in copied)
    above = {unit.unit_id for one in units for unit in org.upward(one)}
    assert copied <= above


@given(provinces())
def test_every_unit_that_owes_is_reached_as_far_as_the_tables_allow(org: Directory) -> None:
    units = tuple(owing_units(org, list(org.sites)))
    heard = audience(org, units, frozenset({"dingtalk"}), NOW)
    assert set(heard.people) == set(units)
    for person_id, mine in heard.by_person.items():
        assert all(org.people[person_id] in heard.people[one] for one in mine)
    for group_id, mine in heard.by_group.items():
        assert org.groups[group_id].purpose in ("support", "customer_track")
        assert len(mine) == len(set(mine))
    for one in units:
        support = org.groups_serving(one, ["dingtalk"])
        assert all(one in heard.by_group[group.group_id] for group in support)


@given(provinces(), st.data())
def test_an_area_is_everything_below_and_nothing_else(org: Directory, data: st.DataObject) -> None:
    root = data.draw(st.sampled_from([unit.unit_id for unit in org.units.values() if unit.track == "operations"]))
    sites = whole_area(org, root)
    below = {unit.unit_id for unit in org.below(root)}
    assert set(sites) == {site.site_id for site in org.sites.values() if site.unit_id in below}
    assert ordered(org, [*sites, *sites]) == ordered(org, sites)
    assert set(in_area(org, org.units[root], list(org.sites))) == set(sites)
    coordinator = Person(person_id="me", name="我", unit_id=root, roles=["coordinator"])
    assert {site.site_id for site in outside(org, coordinator, org.sites)} == set(org.sites) - set(sites)
