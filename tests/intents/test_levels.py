"""How pressing a reported fault is: the meeting that needs it, how much of it is down, and what the sender says."""

from __future__ import annotations

from datetime import datetime

import pytest

from intents import levels
from intents.reading import Context
from intents.understand import Understanding

NOW = datetime.fromisoformat("2026-11-24T14:20:00+08:00")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("还有一刻钟就开会了，摄像头不转", "emergency"),
        ("三点钟的防汛会，我们这里话筒全哑", "emergency"),
        ("五点钟的防汛会，我们这里话筒全哑", "general"),
        ("明天上午九点的会，今天试的时候话筒没声", "general"),
        ("会议进行到第二个议题，画面突然没了", "emergency"),
        ("会正开着呢，就是画面偶尔有点糊", "general"),
        ("上午11:30开的会回声很大", "general"),
        ("县领导已经入座，大屏还是黑的", "emergency"),
        ("明天领导要来，大屏有一块不亮", "general"),
        ("义乌、佛堂、店口都没有图像", "emergency"),
        ("我们镇停电了", "emergency"),
        ("整栋楼都黑了，什么都开不了", "emergency"),
        ("市长五分钟后进场，话筒哑了", "emergency"),
        ("一个备用话筒没电了", "general"),
        ("故障等级：一级，平台瘫痪", "emergency"),
        ("级别：三级，机柜交换机红灯", "general"),
        ("音量偏低，非紧急，望择期处理", "general"),
        ("已收到紧急通知，话筒没声", "general"),
    ],
)
def test_how_pressing_a_fault_is(understanding: Understanding, text: str, level: str) -> None:
    assert levels.level(understanding.facts(text, Context(NOW)).spans) == level
