"""Who and what exists on the platform: apps with their robots, people, groups, custom robots, card templates."""

from __future__ import annotations

from dataclasses import dataclass, field

CORP_ID = "dingcorp0001"


@dataclass(eq=False)
class App:
    """One internal app with its robot. `receive` is stream or http; the URLs are ours, for http."""

    client_id: str
    client_secret: str
    robot_code: str = ""
    corp_id: str = CORP_ID
    published: bool = True
    receive: str = "stream"
    robot_url: str = ""
    card_url: str = ""
    card_secret: str = ""
    callback_routes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Registered for cards: route key → our URL and the secret it signs with."""
    missing_scopes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.robot_code = self.robot_code or self.client_id

    @property
    def chatbot_user_id(self) -> str:
        return f"$:LWCP_v1:$bot-{self.robot_code}"


@dataclass(eq=False)
class Person:
    """A person; somebody outside the organisation has no staff id in what the robot sees."""

    user_id: str
    name: str
    mobile: str = ""
    outsider: bool = False
    admin: bool = False

    @property
    def sender_id(self) -> str:
        return f"$:LWCP_v1:${self.user_id}"


@dataclass(eq=False)
class Group:
    conversation_id: str
    title: str
    members: set[str] = field(default_factory=set)
    disbanded: bool = False


@dataclass(eq=False)
class CustomRobot:
    """A send-only robot of one group with its security settings, in any combination."""

    token: str
    conversation_id: str
    secret: str = ""
    keywords: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    disabled: bool = False


@dataclass
class Template:
    template_id: str
    published: bool = True


class World:
    """The registry of all of them."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.robots: dict[str, CustomRobot] = {}
        self.templates: dict[str, Template] = {}

    def app(self, client_id: str, client_secret: str, robot_code: str = "") -> App:
        return self.apps.setdefault(client_id, App(client_id, client_secret, robot_code))

    def person(self, user_id: str, name: str = "", mobile: str = "", *, outsider: bool = False) -> Person:
        return self.people.setdefault(user_id, Person(user_id, name or user_id, mobile, outsider))

    def group(self, conversation_id: str, title: str, *members: str) -> Group:
        for user_id in members:
            self.person(user_id)
        group = self.groups.setdefault(conversation_id, Group(conversation_id, title))
        group.members.update(members)
        return group

    def custom_robot(self, token: str, conversation_id: str, secret: str = "") -> CustomRobot:
        return self.robots.setdefault(token, CustomRobot(token, conversation_id, secret))

    def template(self, template_id: str, *, published: bool = True) -> Template:
        return self.templates.setdefault(template_id, Template(template_id, published))

    def by_mobile(self, mobile: str) -> Person | None:
        return next((person for person in self.people.values() if mobile and person.mobile == mobile), None)
