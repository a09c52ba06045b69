"""A large province for tests: cities, counties and townships, each with a site and an engineer who can be reached."""

from storage.directory import REVISION
from storage.models import Counter, Group, Identity, Person, Site, Unit
from tests.scenario import Scenario


async def enlarge(bot: Scenario, cities: int, counties: int, townships: int) -> int:
    """Add a city with its counties and their townships, so many each, to the sample province; returns the new units."""
    rows: list[object] = []
    for city in range(cities):
        unit = f"KC{city}"
        rows += _unit(unit, f"第{city}市", "city", "P")
        for county in range(counties):
            below = f"{unit}X{county}"
            rows += [*_unit(below, f"第{city}市{county}县", "county", unit), _group(below)]
            for township in range(townships):
                rows += _unit(f"{below}T{township}", f"第{city}市{county}县{township}镇", "township", below)
    async with bot.ground.database.write() as session:
        session.add_all(rows)
        counter = await session.get_one(Counter, REVISION)
        counter.value += 1
        session.add(counter)
    await bot.learn()
    return cities * (1 + counties * (1 + townships))


def _unit(unit_id: str, name: str, tier: str, parent: str) -> list[object]:
    person = f"p-{unit_id}"
    return [
        Unit(unit_id=unit_id, name=name, tier=tier, parent_id=parent),
        Person(person_id=person, name="王平", title="工", unit_id=unit_id, roles=["engineer"]),
        Identity(platform="dingtalk", account=f"dt-{person}", person_id=person),
        Site(site_id=f"s-{unit_id}", name=f"{name}会议室", unit_id=unit_id, systems=["water"]),
    ]


def _group(unit_id: str) -> Group:
    return Group(
        group_id=f"g-{unit_id}",
        platform="dingtalk",
        conversation_id=f"cid-{unit_id}",
        name=f"{unit_id}保障群",
        unit_id=unit_id,
        purpose="support",
    )
