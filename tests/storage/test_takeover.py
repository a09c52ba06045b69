"""After a kill the next process goes on at once; two processes never serve one data directory."""

from datetime import timedelta
from pathlib import Path

import pytest

from storage.messages import Address, Outgoing
from storage.models import Delivery, Lease
from storage.outbox import post
from storage.takeover import AlreadyRunningError, only_process, take_over
from tests.scenario import scenario

LI = Address(platform="dingtalk", kind="direct", id="dt-li")


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with only_process(tmp_path), pytest.raises(AlreadyRunningError), only_process(tmp_path):
        pass
    with only_process(tmp_path):
        pass


async def test_what_a_dead_process_was_sending_goes_again_at_once_and_marked(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        async with bot.ground.work() as work:
            await post(work, LI, Outgoing(text="第一条", about="GZ-1"), key="a")
            await post(work, LI, Outgoing(text="第二条", about="GZ-1"), key="b")
            work.session.add(Lease(name="sealer", owner="dead", until=work.now + timedelta(minutes=5)))
        async with bot.ground.work() as work:
            row = await work.session.get_one(Delivery, 1)
            row.state, row.lease_owner, row.lease_until = "sending", "dead", work.now + timedelta(minutes=5)
            work.session.add(row)
        await take_over(bot.ground)
        await bot.settle()
        bot.expect("li", "【补发】第一条")
        bot.expect("li", "第二条", absent=["补发"])
