"""``bot.py serve`` from the outside: both stories on the wire, killed, stopped, started again, verified."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.acceptance.process import PATIENCE, ROOT, Served, clean_environment, command, served
from tests.dingtalk.conftest import CLIENT_ID
from tests.playing import until

CLIENTS, COUNTY, COORDINATORS = "cid-linhe-client", "cid-linhe", "cid-jike"


@pytest.mark.parametrize("receive", ["http", "stream"])
async def test_a_fault_is_lived_through_across_a_kill(receive: str, tmp_path: Path) -> None:
    async with served(tmp_path, receive=receive) as bot:
        say = bot.simulator.talk.say
        await say("dt-fang", "三楼会议室没声音了，会马上开始", CLIENTS)
        await bot.sees(CLIENTS, "报障已受理", "没有声音", within=5)
        await bot.sees("dt-li", "接单", within=5)
        await bot.kill()
        await bot.start()
        await say("dt-li", "收到，20分钟到", COUNTY)
        await bot.sees(CLIENTS, "李工已接单")
        fault = (await bot.rows("faults"))[0]
        assert (fault["level"], fault["state"], fault["reporter"]) == ("I", "accepted", "fang")
        (ack,) = [row for row in await bot.rows("obligations") if row["kind"] == "fault_ack"]
        assert (ack["state"], ack["met_by"], ack["met_via"]) == ("met", "li", "dingtalk")
        code, seconds = await bot.terminate()
        assert code == 0
        assert seconds < 10
        code, out, _ = await command("audit", "verify", "--config", str(bot.config))
        assert (code, "未封存 0 条" in out) == (0, True), out


async def test_a_silent_unit_reaches_its_own_supervisor_and_an_answer_ends_it(tmp_path: Path) -> None:
    async with served(tmp_path, within="4s") as bot:
        say = bot.simulator.talk.say
        await say("dt-chen", "明天上午9点半防汛视频会商，临河县和安川县参加，提前一小时到位", COORDINATORS)
        await bot.sees(COORDINATORS, "请核对", "HY-")
        await say("dt-chen", "确认", COORDINATORS)
        await bot.sees(COUNTY, "会议保障通知")
        await say("dt-li", "收到", COUNTY)
        await bot.sees("dt-tang", "尚未收到安川县技术维护部回复")
        assert not [seen for seen in bot.simulator.direct_messages("dt-wang") if "临河县技术维护部" in seen.text]
        await say("dt-wu", "收到", "cid-anchuan")
        await bot.sees("dt-tang", "已由吴工")
        states = {row["unit_id"]: row["state"] for row in await bot.rows("obligations", "&kind=notice_ack")}
        assert (states["X1"], states["X2"]) == ("met", "breached")


async def test_forged_replayed_and_broken_callbacks_are_refused_and_stored_nowhere(tmp_path: Path) -> None:
    async with served(tmp_path) as bot:
        app = bot.simulator.world.apps[CLIENT_ID]
        callbacks = bot.simulator.callbacks
        good = json.dumps(await _payload(bot)).encode()
        assert (await callbacks.robot_message(app, good, secret="wrong")).status in {401, 403}
        assert (await callbacks.robot_message(app, good, age=3700)).status in {401, 403}
        assert (await callbacks.unsigned(app, good)).status in {401, 403}
        assert (await callbacks.robot_message(app, b"{")).status == 400
        assert (await callbacks.robot_message(app, b"\xff\xfe\x00")).status == 400
        assert (await callbacks.robot_message(app, b" " * 1_048_576)).status in {400, 413}
        assert await bot.rows("faults") == []
        assert await bot.rows("deliveries") == []
        assert (await callbacks.robot_message(app, good)).status == 200
        await bot.sees(CLIENTS, "报障已受理")
        assert (await callbacks.replay()).status == 200
        assert len(await bot.rows("faults")) == 1


async def _payload(bot: Served) -> dict[str, object]:
    """A robot message as the platform writes it, not yet posted."""
    app = bot.simulator.world.apps[CLIENT_ID]
    app.receive = "stream"
    spoken = await bot.simulator.talk.say("dt-fang", "三楼会议室没声音了", CLIENTS)
    app.receive = "http"
    payload: dict[str, object] = spoken.payload
    return payload


async def test_the_read_api_wants_its_token(tmp_path: Path) -> None:
    async with served(tmp_path) as bot:
        assert (await bot.get("/api/v1/meetings", token=""))[0] == 401
        assert (await bot.get("/api/v1/meetings", token="guess"))[0] == 401
        assert (await bot.get("/api/v1/meetings?nonsense=1"))[0] == 400
        assert await bot.get("/api/v1/meetings") == (200, {"rows": [], "next": None})


async def test_a_serve_that_is_stopped_while_it_still_starts_has_not_failed(tmp_path: Path) -> None:
    config = tmp_path / "huibao.toml"
    config.write_text("[web]\nport = 0\n", "utf-8")
    words = (sys.executable, str(ROOT / "bot.py"), "serve", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE, env=clean_environment())
    await until((tmp_path / "data" / "huibao.lock").exists, PATIENCE)
    process.terminate()
    async with asyncio.timeout(PATIENCE):
        _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
