"""A DingTalk to test against: a loopback server that keeps the platform's promises and breaks them on demand.

Everything it does stands in the protocol notes; where those say that documents and field reports disagree, a switch
in `Limits` chooses. Time is the test's: pings, expiries and redeliveries follow the clock that is passed in.
"""

from tests.simulators.common.faults import Fault, Faults
from tests.simulators.common.schedule import ManualClock
from tests.simulators.common.server import Call
from tests.simulators.dingtalk.ledger import Seen, direct
from tests.simulators.dingtalk.limits import Limits
from tests.simulators.dingtalk.simulator import DingTalkSimulator
from tests.simulators.dingtalk.world import App, CustomRobot, Group, Person

__all__ = [
    "App",
    "Call",
    "CustomRobot",
    "DingTalkSimulator",
    "Fault",
    "Faults",
    "Group",
    "Limits",
    "ManualClock",
    "Person",
    "Seen",
    "direct",
]
