"""A WeCom to test against: a loopback server that keeps the platform's promises and breaks them on demand.

Everything it does stands in the protocol notes; where those say that documents and field reports disagree, a switch
in `Limits` chooses. Time is the test's: time-outs, expiries and redeliveries follow the clock that is passed in.
"""

from tests.simulators.wecom.callbacks import Delivery
from tests.simulators.wecom.crypto import Envelope, seal, signature
from tests.simulators.wecom.ledger import Seen, direct
from tests.simulators.wecom.limits import Limits
from tests.simulators.wecom.simulator import WeComSimulator
from tests.simulators.wecom.talk import Spoken
from tests.simulators.wecom.world import Aibot, App, Group, GroupRobot, Person

__all__ = [
    "Aibot",
    "App",
    "Delivery",
    "Envelope",
    "Group",
    "GroupRobot",
    "Limits",
    "Person",
    "Seen",
    "Spoken",
    "WeComSimulator",
    "direct",
    "seal",
    "signature",
]
