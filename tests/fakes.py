"""Public fakes: a platform that records what people would see."""

from dataclasses import dataclass, field

from aiohttp import web

from storage.messages import Address, Outgoing
from storage.ports import Accept, Capabilities, CheckLine, Outcome, SendJob, Sent


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

    def routes(self, accept: Accept) -> list[web.RouteDef]:
        return []

    async def run(self, accept: Accept) -> None:
        return None

    async def send(self, job: SendJob) -> dict[Address, Outcome]:
        results: dict[Address, Outcome] = {}
        for address in job.addresses:
            outcome = self.down or self.outcomes.get(address, Sent(provider_id=f"m{len(self.seen) + 1}"))
            if isinstance(outcome, Sent):
                self.seen.append(Seen(address, job.message))
            results[address] = outcome
        return results

    def trouble(self) -> str:
        return ""

    def ever_connected(self) -> bool:
        return True

    async def check(self) -> list[CheckLine]:
        return [CheckLine(self.platform, True)]
