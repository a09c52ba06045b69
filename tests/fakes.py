"""Public fakes: a platform that records what people would see."""

from dataclasses import dataclass, field

from aiohttp import web

from storage.messages import Address, Attachment, Outgoing
from storage.ports import Accept, Capabilities, CheckLine, Outcome, Refused, SendError, SendJob, Sent


@dataclass
class Seen:
    """One message as it reached an address."""

    address: Address
    message: Outgoing

    @property
    def text(self) -> str:
        return self.message.text


@dataclass
class FakePlatform:
    """An adapter without a wire. ``refuse`` maps an address to the outcome it answers with; ``down`` answers all so."""

    platform: str
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(mention=True, buttons=True))
    seen: list[Seen] = field(default_factory=list)
    outcomes: dict[Address, Outcome] = field(default_factory=dict)
    down: Outcome | None = None
    updates: list[Seen] = field(default_factory=list)
    """Cards brought up to date, which nobody is told of."""

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        return []

    async def run(self, accept: Accept) -> None:
        return None

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        results: dict[Address, Outcome] = {}
        for address in job.addresses:
            outcome = self.down or self.outcomes.get(address, Sent(provider_id=f"m{len(self.seen) + 1}"))
            if isinstance(outcome, Sent):
                (self.updates if job.message.silent else self.seen).append(Seen(address, job.message))
            results[address] = outcome
        return results

    def trouble(self) -> str:
        return ""

    def ever_connected(self) -> bool:
        return True

    async def check(self) -> list[CheckLine]:
        return [CheckLine(self.platform, True)]


@dataclass
class RichPlatform(FakePlatform):
    """One that also gives out files, says who has read what, and takes messages back.

    ``files`` by reference; ``read`` and ``recalled`` hold (provider id, account) and provider ids; ``asked`` the
    provider ids readers were asked for. ``deaf`` is what it answers instead, when set, ``deaf_files``
    the same for single files.
    """

    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(mention=True, buttons=True, read_receipts=True)
    )
    files: dict[str, bytes] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    read: set[tuple[str, str]] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    recalled: list[str] = field(default_factory=list)
    deaf: SendError | None = None
    deaf_files: dict[str, SendError] = field(default_factory=dict)

    async def download(self, attachment: Attachment) -> bytes:
        self.downloads.append(attachment.ref)
        if attachment.ref in self.deaf_files:
            raise self.deaf_files[attachment.ref]
        if attachment.ref not in self.files:
            raise Refused("no such file")
        return self.files[attachment.ref]

    async def readers(self, address: Address, provider_id: str) -> frozenset[str]:
        self.asked.append(provider_id)
        if self.deaf is not None:
            raise self.deaf
        return frozenset(account for key, account in self.read if key == provider_id)

    async def recall(self, address: Address, provider_id: str) -> bool:
        if self.deaf is not None:
            raise self.deaf
        self.recalled.append(provider_id)
        return True
