"""The optional helper: what it may propose, what of it is believed, and that nothing hangs on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from sqlmodel import select

from adapters.llm.client import ChatModel, check
from intents.proposal import masked
from storage.models import Fault, Timer
from storage.settings import SettingsError, build_settings
from storage.settings_llm import LlmSettings
from tests.scenario import Scenario, scenario
from tests.simulators.chat_model import ChatModelServer, chat_model

ODD = "那只大家伙今天又闹脾气，谁来哄哄它"
CALL = "“那只大家伙今天又闹脾气，谁来哄哄它”——您是想报障吗？"


@pytest.fixture
async def server() -> AsyncIterator[ChatModelServer]:
    async with chat_model() as running:
        yield running


@pytest.fixture
async def model(server: ChatModelServer) -> AsyncIterator[ChatModel]:
    settings = LlmSettings.model_validate({"base_url": server.url, "api_key": "k-1", "model": "m"})
    async with aiohttp.ClientSession() as http:
        yield ChatModel(settings, http, within=0.3)


@pytest.fixture
async def bot(tmp_path: Path, model: ChatModel) -> AsyncIterator[Scenario]:
    async with scenario(tmp_path, adviser=model) as running:
        yield running


async def faults(bot: Scenario) -> int:
    async with bot.ground.look() as work:
        return len((await work.session.exec(select(Fault))).all())


async def test_what_the_rules_leave_open_is_asked_about_and_done_only_when_confirmed(
    bot: Scenario, server: ChatModelServer
) -> None:
    server.says("fault.report")
    await bot.say("fang", ODD)
    bot.expect("fang", CALL, "是的", "不是")
    assert await faults(bot) == 0
    await bot.say("fang", "1")
    assert await faults(bot) == 1


async def test_a_no_leaves_everything_as_it_was(bot: Scenario, server: ChatModelServer) -> None:
    server.says("fault.report")
    await bot.say("fang", ODD)
    bot.expect("fang", CALL)
    await bot.say("fang", "不是")
    bot.expect("fang", "那就当没说")
    assert await faults(bot) == 0


async def test_names_and_phone_numbers_stay_in_the_house(bot: Scenario, server: ChatModelServer) -> None:
    await bot.say("fang", "孙强和高远都拿那只大家伙没办法，记一下13987650011、0571-88001122")
    assert not any(secret in server.said_to for secret in ("孙强", "高远", "1398", "8800"))
    assert "<1>" in server.said_to
    assert server.keys == ["Bearer k-1"]


@pytest.mark.parametrize(
    "secret",
    [
        "139.8765.0011",
        "+86-139-8765-0011",
        "１３９８７６５００１１",
        "一三九八七六五零零一一",
        "wang.qiang139@linhe.example.org",
        "889 123 456",
        "孙 强",
        "王师傅",
    ],
)
def test_private_words_are_marks_outside_and_themselves_again_inside(secret: str) -> None:
    asked = masked(f"那只大家伙找{secret}，密码：ab8866", ["孙强"])
    assert secret not in asked.text
    assert "8866" not in asked.text
    assert asked.unmasked(asked.text) == f"那只大家伙找{secret}，密码：ab8866"


@pytest.mark.parametrize(
    "answer",
    [
        "我不能回答这个问题。",
        None,
        "{",
        "[1, 2]",
        '{"intent": "fault.cancel"}',
        '{"intent": "meeting.notice", "values": {"time": "今天"}}',
        '{"intent": "none"}',
        '{"intent": "fault.report", "values": {"site": "杭州市水利局"}}',
        '{"intent": "fault.report", "values": {"device": "大家伙"}}',
        '{"intent": "fault.report", "values": {"price": "今天"}}',
        '{"intent": "fault.report", "values": ["今天"]}',
        '{"intent": ["fault.report"]}',
    ],
    ids=[
        "refusal", "no text", "broken", "list", "closing", "publishing", "nothing", "not said", "means nothing",
        "unknown value", "values of another kind", "intent of another kind",
    ],
)  # fmt: skip
async def test_what_cannot_be_true_is_not_believed(bot: Scenario, server: ChatModelServer, answer: str | None) -> None:
    server.answer = answer
    await bot.say("fang", ODD)
    bot.expect("fang", "没太明白您的意思")
    bot.nothing_more("fang")


async def test_a_value_that_was_said_and_means_something_is_taken(bot: Scenario, server: ChatModelServer) -> None:
    server.says("fault.report", time="今天")
    await bot.say("fang", ODD)
    bot.expect("fang", CALL)


@pytest.mark.parametrize("trouble", ["hang", "500", "no json", "too large", "too deep"])
async def test_a_helper_in_trouble_costs_nothing_but_the_wait(
    bot: Scenario, server: ChatModelServer, trouble: str
) -> None:
    server.hang = trouble == "hang"
    server.status = 500 if trouble == "500" else 200
    server.raw = {"no json": b"<html>", "too large": b"[" + b"1," * 100_000 + b"1]", "too deep": b"[" * 60_000}.get(
        trouble
    )
    await bot.say("fang", ODD)
    bot.expect("fang", "没太明白您的意思")
    async with bot.ground.look() as work:
        assert (await work.session.exec(select(Timer).where(Timer.kind == "helper"))).all() == []


async def test_small_talk_in_a_group_and_what_is_understood_never_leave_the_house(
    bot: Scenario, server: ChatModelServer
) -> None:
    await bot.say("fang", ODD, group="临河县水利局客户群")
    await bot.say("fang", "三楼会议室没声音")
    assert server.asked == []


async def test_without_the_section_nothing_is_asked(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", ODD)
        bot.expect("fang", "没太明白您的意思")


@pytest.mark.parametrize("url", ["http://example.org/v1", "ftp://127.0.0.1/v1", "http://127.0.0.1.example.org/v1"])
def test_the_key_goes_over_https_only(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="https"):
        build_settings({"llm": {"base_url": url, "model": "m"}}, {}, tmp_path, "test")


@pytest.mark.parametrize(
    ("status", "raw", "ok", "told"),
    [
        (200, None, True, "m，0.3 秒内回答"),
        (401, None, False, "api_key"),
        (404, None, False, "没有这个地址或模型"),
        (500, None, False, "500"),
        (200, b"<html>", False, "不是约定的格式"),
        (200, b"{}", False, "不是约定的格式"),
    ],
)
async def test_check_says_what_is_wrong_with_the_helper(
    server: ChatModelServer, model: ChatModel, status: int, raw: bytes | None, ok: bool, told: str
) -> None:
    server.status, server.raw = status, raw
    line = await model.check()
    assert line.ok is ok
    assert told in line.detail
    assert "k-1" not in line.detail


async def test_check_waits_no_longer_than_a_message_would(server: ChatModelServer, model: ChatModel) -> None:
    server.hang = True
    line = await model.check()
    assert not line.ok
    assert "0.3 秒内没有回答" in line.detail


async def test_check_says_when_nobody_is_there_or_nobody_is_wanted() -> None:
    nobody = LlmSettings.model_validate({"base_url": "http://127.0.0.1:9/v1", "model": "m"})
    async with aiohttp.ClientSession() as http:
        assert "连不上 http://127.0.0.1:9/v1" in (await check(nobody, http)).detail
        off = await check(None, http)
    assert (off.ok, off.detail) == (True, "未启用")
