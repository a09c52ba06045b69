"""Who sees which conversation: the console must not show a client what the platforms would not."""

import pytest

from adapters.web.sight import conversations
from storage.directory import Directory
from tests.web.house import House


@pytest.fixture
async def org(home: House) -> Directory:
    async with home.runtime.ground.look() as work:
        return work.org


@pytest.mark.parametrize(
    ("person", "groups"),
    [
        ("fang", ["linhe-client"]),
        ("xu", []),
        ("chen", ["jike"]),
        ("luo", ["jike"]),
        ("qian", ["jike"]),
        ("li", ["linhe-client", "linhe"]),
        ("wu", ["anchuan"]),
        ("ding", ["linhe"]),
        ("lin", ["anchuan"]),
        ("he", ["jiangzhou"]),
        ("gao", ["sheng", "zhuguan"]),
        ("wang", ["linhe-client", "linhe", "zhuguan"]),
        ("song", ["linhe", "zhuguan"]),
        ("zhou", ["sheng", "zhuguan"]),
        ("admin", ["sheng", "zhuguan"]),
    ],
)
def test_a_person_sees_own_groups_and_the_bot(org: Directory, person: str, groups: list[str]) -> None:
    found = [str(talk.address) for talk in conversations(org, org.people[person])]
    assert found == [*[f"web:group:{name}" for name in groups], f"web:direct:{person}"]


def test_clients_never_see_the_staffs_groups(org: Directory) -> None:
    for person in org.people.values():
        if person.roles == ["client"]:
            purposes = {talk.group.purpose for talk in conversations(org, person) if talk.group}
            assert purposes <= {"client"}
