"""What every part of the simulator shares."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.common.faults import Faults
from tests.simulators.common.schedule import Clock, Schedule
from tests.simulators.common.serials import Serials
from tests.simulators.dingtalk.ledger import Ledger
from tests.simulators.dingtalk.limits import Limits
from tests.simulators.dingtalk.throttle import Throttles
from tests.simulators.dingtalk.world import World

Json = dict[str, Any]


@dataclass
class Context(Serials):
    """One of each; `base_url` is known once the server listens. Times are seconds since the epoch."""

    clock: Clock
    limits: Limits
    rng: random.Random
    world: World
    ledger: Ledger
    schedule: Schedule
    throttles: Throttles
    faults: Faults = field(default_factory=Faults)
    base_url: str = ""

    def now_ms(self) -> int:
        return int(self.clock() * 1000)


def make_context(clock: Clock, limits: Limits, seed: int) -> Context:
    world = World()
    return Context(
        clock=clock,
        limits=limits,
        rng=random.Random(seed),
        world=world,
        ledger=Ledger(world),
        schedule=Schedule(clock),
        throttles=Throttles(clock, limits),
    )
