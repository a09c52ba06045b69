"""Several processes on one database: what vanishes without a word is counted together, and the robot is one's own."""

from datetime import datetime, timedelta

from storage.database import Database
from storage.messages import Outgoing
from storage.models import Delivery, Group
from storage.ports import Retry
from tests.playing import sent
from tests.wecom.bench import IN_APP_GROUP, START, bench, person
from tests.wecom.conftest import AGENT


async def others_sent(database: Database, count: int, address: str, at: datetime, state: str = "sent") -> None:
    """Rows that another process has sent, or is sending."""
    async with database.write() as session:
        for number in range(count):
            row = Delivery(
                dedupe_key=f"{state}:{address}:{number}:{at}", platform="wecom", address=address, state=state,
                message=Outgoing(text="x").model_dump(mode="json"), not_before=at, created_at=at,
                sent_at=at if state == "sent" else None, provider_id=f"m{number}" if state == "sent" else "",
            )  # fmt: skip
            session.add(row)


async def test_what_another_process_sends_to_a_member_counts_here(postgresql_database: Database) -> None:
    async with bench(robot="", database=postgresql_database) as b:
        await b.pass_time(7200, step=1800)
        now = b.clock.now()
        await others_sent(postgresql_database, 28, str(person("LiMing")), now)
        sent(await b.send(person("LiMing"), text="第二十九条"))
        await others_sent(postgresql_database, 2, str(person("LiMing")), now, state="sending")
        late = await b.send(person("LiMing"), text="第三十一条")
        assert isinstance(late, Retry)
        assert late.not_before is not None
        assert late.not_before > now
        sent(await b.send(person("wangfang"), text="别人不等"))


async def test_what_another_process_says_in_the_apps_groups_counts_here(postgresql_database: Database) -> None:
    async with bench(robot="", database=postgresql_database) as b:
        b.simulator.world.group("OPS02", "另一个应用群", "LiMing", "zhaowei").made_by = AGENT
        await b.pass_time(7200, step=1800)
        await others_sent(postgresql_database, 200, "wecom:group:OPS02", b.clock.now())
        async with postgresql_database.write() as session:
            session.add(
                Group(
                    group_id="G99", platform="wecom", conversation_id="OPS02", name="另一个应用群", unit_id="P",
                    purpose="support",
                )
            )  # fmt: skip
        assert isinstance(await b.send(IN_APP_GROUP, text="x"), Retry)


async def test_after_a_restart_the_apps_groups_are_counted_from_the_outbox(sqlite_database: Database) -> None:
    await others_sent(sqlite_database, 200, str(IN_APP_GROUP), START - timedelta(seconds=5))
    async with bench(robot="", database=sqlite_database) as b:
        assert isinstance(await b.send(IN_APP_GROUP, text="x"), Retry)
        await b.pass_time(60, step=20)
        sent(await b.send(IN_APP_GROUP, text="x"))


async def test_check_says_that_only_one_process_may_have_the_robot(postgresql_database: Database) -> None:
    async with bench(app=False, hook=True, database=postgresql_database) as b:
        lines = await b.adapter.check()
        assert any(line.ok and "只能有一个" in line.detail for line in lines)
