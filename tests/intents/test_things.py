"""Devices and what is wrong with them: told by the thing and its verb, over a comma, and what only looks like it."""

from __future__ import annotations

import pytest

from intents import slots
from intents.cli import load_places
from intents.places import PlaceIndex
from intents.understand import Understanding
from tests.intents.conftest import SITES, said

PLACES = PlaceIndex(load_places(SITES))


def read(understanding: Understanding, intent: str, text: str) -> tuple[object, object]:
    found = slots.fill(intent, understanding.facts(text, said()), PLACES)
    return found.get("device"), found.get("symptom")


@pytest.mark.parametrize(
    ("text", "devices", "symptoms"),
    [
        ("投影仪灯泡换过了，不亮", ["projector"], ["black_screen"]),
        ("投影放了两分钟就黑掉", ["projector"], ["black_screen"]),
        ("领导的脸都黑了", None, ["other"]),
        ("一点声音都冇", None, ["no_audio"]),
        ("图像五秒一卡", None, ["frozen"]),
        ("终端插上电没反应", ["terminal"], ["no_power"]),
        ("终端按电源键不亮", ["terminal"], ["no_power"]),
        ("摄像头不会转", ["camera"], ["control_failure"]),
        ("大屏右半边没信号", ["display"], ["no_signal"]),
        ("大屏一格一格的马赛克", ["display"], ["blurred"]),
        ("会议室的网一会儿有一会儿没有", ["network"], ["no_network"]),
        ("云台不听使唤", ["camera"], ["control_failure"]),
        ("触摸屏点了没反应，幕布控制不了", ["control"], ["control_failure"]),
        ("终端按了开机键没反应", ["terminal"], ["no_power"]),
        ("终端温度报警，烫", ["terminal"], ["overheating"]),
        ("UPS滴滴响，面板红灯", ["ups"], ["alarm_light"]),
        ("停电了，会场一片漆黑", ["power"], ["no_power"]),
        ("光缆被挖断，导致三个乡镇网络中断", ["fiber", "network"], ["damaged", "no_network"]),
        ("进不去会，提示网络异常", ["network"], ["cannot_join"]),
        ("投影画面模糊，线缆已重新插拔", ["projector"], ["blurred"]),
        ("双流无法发送，主流正常", None, ["no_share"]),
        ("電視沒有訊號", ["display"], ["no_signal"]),
        ("麦克疯无声 其余正常", ["microphone"], ["no_audio"]),
        ("现象：图像冻结。业务影响：演练正在进行，已中断。已做处理：更换网线", ["cable"], ["frozen"]),
        ("回声大到一句都听不清", None, ["echo"]),
        ("谢谢昨天帮忙弄好话筒！今天投影一开就黑屏", ["projector"], ["black_screen"]),
        ("终端和电视之间那根线被老鼠啃了", ["cable"], ["damaged"]),
        ("电视左边好好的，右边一大片发灰", ["display"], ["blurred"]),
        ("各分会场均无法收听", None, ["no_audio"]),
        ("连上了，就是一说话就卡壳", None, ["frozen"]),
        ("预置位偏移，画面对准天花板", None, ["control_failure"]),
        ("不是网的事，网通着呢，是大屏自己黑的", ["display"], ["black_screen"]),
        ("交换机一个灯都不亮，插座试过有电的", ["switch"], ["no_power"]),
        ("交换机所有口的灯都灭了", ["switch"], ["alarm_light"]),
        ("线断了，网不通，网口灯也灭着", ["network"], ["no_network"]),
        ("电视上啥都没有 黑黢黢一片", ["display"], ["black_screen"]),
        ("断网了 会商正开着", ["network"], ["no_network"]),
        ("功放泡水了", ["speaker"], ["damaged"]),
        ("呼主会场没人接", None, ["cannot_join"]),
        ("UPS不间断电源面板红灯常亮，市电供电正常", ["ups"], ["alarm_light"]),
        ("网线扯断了，水晶头都掉了", ["cable"], ["damaged"]),
        ("声音太小，坐后面的都听不见", None, ["low_volume"]),
        ("我点共享没反应，对面说看不到", None, ["no_share"]),
        ("声音一会儿大一会儿小", None, ["other"]),
        ("电视打开是蓝屏，上面写HDMI1", ["display"], ["black_screen"]),
        ("摄像机图像偏蓝", ["camera"], ["blurred"]),
        ("路由器灯全灭，摸着凉的", ["network"], ["no_power"]),
        ("专线抖得厉害", ["network"], ["no_network"]),
        ("省厅在讲话，我们这里有啸叫", None, ["noise"]),
        ("无线话筒红灯一直闪，是不是电池没电了", ["microphone"], ["alarm_light"]),
        ("不是声音小，是压根没有", None, ["no_audio"]),
        ("图像一愣一愣的", None, ["frozen"]),
        ("遥控器按什么都不理我", ["remote"], ["control_failure"]),
        ("不是话筒，话筒好的，是功放没声", ["speaker"], ["no_audio"]),
        ("有电流杂音，音量调小也不见好", None, ["noise"]),
    ],
)
def test_what_is_reported(understanding: Understanding, text: str, devices: object, symptoms: object) -> None:
    assert read(understanding, "fault.report", text) == (devices, symptoms)


@pytest.mark.parametrize(
    ("intent", "text", "devices", "symptoms"),
    [
        ("fault.resolve", "调好了，声音现在正常", None, ["no_audio"]),
        ("fault.resolve", "音响没问题了，线接反了", ["speaker"], None),
        ("fault.resolve", "掉线是因为地址冲突，改完没再犯", None, ["dropped"]),
        ("fault.resolve", "花屏解决了 视频线松了 重新接紧就好", ["cable"], ["blurred"]),
        ("fault.update", "不是终端，是电视的问题", ["display"], None),
        ("fault.confirm", "没再掉线了", None, ["dropped"]),
        ("fault.confirm", "画面不花了", None, ["blurred"]),
        ("fault.update", "找到原因了，交换机端口down了", ["switch"], None),
        ("fault.update", "怀疑是收发器坏了，回去拿备件", ["fiber"], None),
        ("fault.update", "先用备用终端顶着，坏的那台我拉回来修", ["terminal"], None),
        ("fault.update", "软件重装到一半", None, None),
        ("fault.resolve", "没声音的问题解决了，是调音台静音了", None, ["no_audio"]),
        ("fault.confirm", "图像声音都正常，可以关了", None, None),
        ("fault.resolve", "好了，麦的电池没电，换了两节", ["microphone"], None),
        ("fault.resolve", "修好了，图像声音都OK", None, None),
        ("fault.confirm", "经验证，所报故障已排除", None, None),
        ("fault.resolve", "话筒无声问题已于今日11:20处理完毕，是静音键误按", ["microphone"], ["no_audio"]),
        ("consult", "想问下双屏怎么设置", None, None),
        ("consult", "投影机滤网多久洗一次", ["projector"], None),
        ("consult", "终端待机会不会自动断电", ["terminal"], None),
    ],
)
def test_what_is_said_of_it_later(
    understanding: Understanding, intent: str, text: str, devices: object, symptoms: object
) -> None:
    assert read(understanding, intent, text) == (devices, symptoms)
