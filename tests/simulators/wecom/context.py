"""What every part of the simulator shares. Schedule, faults and windows are the same machinery as DingTalk's."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.simulators.common.faults import Faults
from tests.simulators.common.schedule import Clock, Schedule
from tests.simulators.common.serials import Serials
from tests.simulators.wecom.ledger import Ledger
from tests.simulators.wecom.limits import Limits
from tests.simulators.wecom.world import World

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal; over HTTP it is a 200 with this errcode."""

    def __init__(self, errcode: int, errmsg: str = "refused", **extra: Any) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode, self.errmsg, self.extra = errcode, errmsg, extra


@dataclass
class Context(Serials):
    """One of each; `base_url` is known once the server listens. Times are seconds since the epoch."""

    clock: Clock
    limits: Limits
    rng: random.Random
    world: World
    ledger: Ledger
    schedule: Schedule
    faults: Faults = field(default_factory=Faults)
    base_url: str = ""
    caller: str = "203.0.113.7"
    """The address that we seem to call from."""

    def now(self) -> int:
        return int(self.clock())

    def answer(self, error: ApiError) -> web.Response:
        """HTTP 200 even for failures, with the hint and the caller's address in the text."""
        hint = self.rng.randrange(10**15)
        text = (
            f"{error.errmsg}, hint: [{hint}], from ip: {self.caller}, "
            f"more info at https://open.work.weixin.qq.com/devtool/query?e={error.errcode}"
        )
        body = {"errcode": error.errcode, "errmsg": text, **error.extra}
        return web.json_response(body, headers={"Error-Code": str(error.errcode), "Error-Msg": error.errmsg})


def make_context(clock: Clock, limits: Limits, seed: int) -> Context:
    world = World()
    return Context(clock, limits, random.Random(seed), world, Ledger(world), Schedule(clock))


def ok(**fields: Any) -> web.Response:
    return web.json_response({"errcode": 0, "errmsg": "ok", **fields})


def cut(text: str, limit: int) -> str:
    """The first `limit` bytes of a text, without half a character at the end."""
    return text.encode()[:limit].decode("utf-8", "ignore")
