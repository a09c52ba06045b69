"""Who and what exists on the platform: the corporation's apps and robots, people, groups."""

from __future__ import annotations

from dataclasses import dataclass, field

CORP_ID = "wwcorp123"


@dataclass(eq=False)
class Receiver:
    """Whoever has a callback address: what an administrator types into the console."""

    url: str = ""
    token: str = ""
    aes_key: str = ""
    receive_id: str = ""
    failed_in_a_row: int = 0
    discarding: bool = False


@dataclass(eq=False)
class App(Receiver):
    """A self-built app. `trusted`: addresses that may call, None: all; `visible`: who may be written to, None: all."""

    agent_id: int = 0
    secret: str = ""
    trusted: set[str] | None = None
    visible: set[str] | None = None
    disabled: bool = False
    forbidden: set[str] = field(default_factory=set)
    """Ends of paths that answer 48002."""


@dataclass(eq=False)
class Aibot(Receiver):
    """An intelligent robot: `receive` is websocket or callback, never both."""

    bot_id: str = ""
    secret: str = ""
    name: str = "会保"
    receive: str = "websocket"


@dataclass(eq=False)
class Person:
    user_id: str
    name: str = ""
    licensed: bool = True


@dataclass(eq=False)
class Group:
    """`made_by`: the agent id of the app that created it, 0: people did."""

    chat_id: str
    title: str
    members: set[str] = field(default_factory=set)
    made_by: int = 0


@dataclass(eq=False)
class GroupRobot:
    """A send-only robot of one group."""

    key: str
    chat_id: str
    stopped: bool = False
    removed: bool = False


class World:
    """The registry of all of them."""

    def __init__(self) -> None:
        self.corp_id = CORP_ID
        self.apps: dict[int, App] = {}
        self.bots: dict[str, Aibot] = {}
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.robots: dict[str, GroupRobot] = {}

    def app(self, agent_id: int, secret: str, token: str = "", aes_key: str = "") -> App:
        made = App(agent_id=agent_id, secret=secret, token=token, aes_key=aes_key, receive_id=self.corp_id)
        return self.apps.setdefault(agent_id, made)

    def aibot(self, bot_id: str, secret: str, token: str = "", aes_key: str = "") -> Aibot:
        return self.bots.setdefault(bot_id, Aibot(bot_id=bot_id, secret=secret, token=token, aes_key=aes_key))

    def person(self, user_id: str, name: str = "") -> Person:
        return self.people.setdefault(user_id, Person(user_id, name or user_id))

    def spelt(self, user_id: str) -> str:
        """A user id as it stands in the address book, where case does not count; unknown ones stay as they are."""
        folded = user_id.casefold()
        return next((known for known in self.people if known.casefold() == folded), user_id)

    def group(self, chat_id: str, title: str, *members: str) -> Group:
        for user_id in members:
            self.person(user_id)
        group = self.groups.setdefault(chat_id, Group(chat_id, title))
        group.members.update(members)
        return group

    def robot(self, key: str, chat_id: str) -> GroupRobot:
        return self.robots.setdefault(key, GroupRobot(key, chat_id))
