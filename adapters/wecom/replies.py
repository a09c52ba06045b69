"""The ways back that came with a message: its request on the long connection, or a stream and an address to answer.

They are hints of the incoming message, so that a reply finds them after a restart.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from adapters.wecom.fields import moment
from storage.clock import Clock
from storage.messages import Address

REQUEST, URL, STREAM = "wecom_request", "wecom_url", "wecom_stream"
SINCE, FOR = "wecom_since", "wecom_for"
REQUEST_LASTS = timedelta(hours=23)
URL_LASTS = timedelta(minutes=58)
STREAM_LASTS = timedelta(minutes=6)
REMEMBERED = 2000


@dataclass(frozen=True)
class Reply:
    """``request``: the req_id to echo; ``stream``: say it there while it is open; ``url``: post here, once."""

    request: str = ""
    url: str = ""
    stream: str = ""


def is_same(written: str, address: Address) -> bool:
    """Whether an address that was noted as text is this one. In user ids case does not count, in chat ids it does."""
    here = str(address)
    return written == here or (address.kind == "direct" and written.casefold() == here.casefold())


class Replies:
    """Makes hints and reads them. Addresses on another host than the API's are not believed."""

    def __init__(self, api_base: str, clock: Clock) -> None:
        self._host, self._clock = urlsplit(api_base)[:2], clock
        self._used: dict[str, datetime] = {}

    def hints(self, address: Address, *, request: str = "", url: str = "", stream: str = "") -> dict[str, str]:
        """What goes with an incoming message from ``address``."""
        given = {REQUEST: request, URL: url if urlsplit(url)[:2] == self._host else "", STREAM: stream}
        kept = {name: value for name, value in given.items() if value}
        return {**kept, SINCE: str(int(self._clock.now().timestamp())), FOR: str(address)} if kept else {}

    def answering(self, hints: dict[str, str], address: Address) -> Reply | None:
        """The way back in the hints, when it leads to this address and has time left."""
        since = moment(hints.get(SINCE))
        if not is_same(hints.get(FOR, ""), address) or since is None:
            return None
        age = self._clock.now() - since
        if hints.get(REQUEST) and age < REQUEST_LASTS:
            return Reply(request=hints[REQUEST])
        stream = hints.get(STREAM, "") if age < STREAM_LASTS else ""
        url = hints.get(URL, "")
        fresh = age < URL_LASTS and url not in self._used and urlsplit(url)[:2] == self._host
        reply = Reply(url=url if fresh else "", stream=stream)
        return reply if reply.url or reply.stream else None

    def use(self, reply: Reply) -> None:
        """An address answers once."""
        now = self._clock.now()
        if len(self._used) >= REMEMBERED:
            self._used = {url: at for url, at in self._used.items() if now - at < URL_LASTS}
        if reply.url:
            self._used[reply.url] = now
