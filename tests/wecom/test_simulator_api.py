"""The simulator's REST side keeps WeCom's promises: tokens, sending, cards, groups, robots, files."""

import hashlib
from base64 import b64encode

import aiohttp
import pytest

from tests.simulators.common.schedule import ManualClock
from tests.simulators.wecom import Limits, WeComSimulator
from tests.wecom.conftest import AGENT, APP_GROUP, GROUP, ROBOT_KEY, SECRET, populate
from tests.wecom.wire import Json, call, get, post, send, token

CARD: Json = {
    "card_type": "button_interaction", "task_id": "t1", "main_title": {"title": "报障"},
    "button_list": [{"text": "接单", "key": "take"}],
}  # fmt: skip


@pytest.fixture
def sim(simulator: WeComSimulator) -> WeComSimulator:
    simulator.world.apps[AGENT].url = "http://127.0.0.1:9/callback"
    return simulator


async def test_a_token_is_the_same_until_it_expires_and_is_each_secrets_own(
    sim: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    sim.world.app(1000003, "other")
    first, again, other = await token(http, sim), await token(http, sim), await token(http, sim, "other")
    assert first["access_token"] == again["access_token"] != other["access_token"]
    sim_clock.advance(7200)
    assert (await token(http, sim))["access_token"] != first["access_token"]
    url = f"{sim.base_url}/cgi-bin/message/send?access_token="
    assert (await post(http, url + first["access_token"], {}))["errcode"] == 42001
    assert (await post(http, url, {}))["errcode"] == 41001
    assert (await token(http, sim, "wrong"))["errcode"] == 40001
    assert (await get(http, sim, "gettoken", corpid="no", corpsecret=SECRET))["errcode"] == 40013


async def test_a_token_can_die_early_and_a_new_one_may_be_no_better(
    sim: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    dead = (await token(http, sim))["access_token"]
    sim.tokens.invalidate(AGENT, renew=False)
    assert (await token(http, sim))["access_token"] == dead
    assert (await send(http, sim, "LiMing", "x"))["errcode"] == 40014
    sim.tokens.invalidate(AGENT)
    assert (await send(http, sim, "LiMing", "x"))["errcode"] == 0


async def test_asking_for_tokens_too_often_is_refused(sim: WeComSimulator, http: aiohttp.ClientSession) -> None:
    answers = [(await token(http, sim))["errcode"] for _ in range(301)]
    assert answers.count(45009) == 1


async def test_a_foreign_address_is_named_in_the_refusal(sim: WeComSimulator, http: aiohttp.ClientSession) -> None:
    sim.world.apps[AGENT].trusted = {"198.51.100.1"}
    answer = await send(http, sim, "LiMing", "x")
    assert answer["errcode"] == 60020
    assert "from ip: 203.0.113.7" in answer["errmsg"]
    sim.world.apps[AGENT].trusted = None
    sim.world.apps[AGENT].forbidden.add("message/send")
    assert (await send(http, sim, "LiMing", "x"))["errcode"] == 48002
    sim.world.apps[AGENT].disabled = True
    assert (await send(http, sim, "LiMing", "x"))["errcode"] == 50003


async def test_wrong_people_come_back_in_lower_case_and_the_rest_is_reached(
    sim: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    sim.world.people["zhaowei"].licensed = False
    answer = await send(http, sim, "LiMing|Nobody|zhaowei|GONE", "你好")
    assert (answer["errcode"], answer["invaliduser"], answer["unlicenseduser"]) == (0, "nobody|gone", "zhaowei")
    assert [seen.text for seen in sim.direct_messages("LiMing")] == ["你好"]
    assert not sim.direct_messages("zhaowei")
    nobody = await send(http, sim, "Nobody", "x")
    assert (nobody["errcode"], nobody["invaliduser"]) == (81013, "nobody")
    assert (await send(http, sim, "", "x"))["errcode"] == 82001
    assert (await send(http, sim, "|".join(f"u{n}" for n in range(1001)), "x"))["errcode"] == 40058


async def test_text_is_cut_at_2048_bytes_between_characters(sim: WeComSimulator, http: aiohttp.ClientSession) -> None:
    await send(http, sim, "LiMing", "长" * 1000)
    assert sim.direct_messages("LiMing")[0].text == "长" * 682


async def test_more_than_thirty_a_minute_to_one_member_vanish_without_a_word(
    sim: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    for number in range(32):
        assert (await send(http, sim, "LiMing", str(number)))["errcode"] == 0
    assert len(sim.direct_messages("LiMing")) == 30
    assert [text for _, text in sim.messages.dropped] == ["30", "31"]
    sim_clock.advance(60)
    await send(http, sim, "LiMing", "later")
    assert len(sim.direct_messages("LiMing")) == 31


async def test_the_days_cap_and_the_duplicate_window(
    sim: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    more = {"enable_duplicate_check": 1, "duplicate_check_interval": 600}
    for _ in range(2):
        assert (await send(http, sim, "LiMing", "x", **more))["errcode"] == 0
    assert len(sim.direct_messages("LiMing")) == 1
    sim_clock.advance(601)
    await send(http, sim, "LiMing", "x", **more)
    assert len(sim.direct_messages("LiMing")) == 2
    sim.limits.daily_recipients = 3
    assert (await send(http, sim, "LiMing|wangfang", "x"))["errcode"] == 45009


async def test_a_card_is_answered_with_a_code_that_updates_it_once_within_three_days(
    sim: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    sent = await call(
        http, sim, "message/send", touser="LiMing|wangfang", msgtype="template_card", agentid=AGENT, template_card=CARD
    )
    (shown,) = sim.direct_messages("LiMing")
    assert shown.buttons == (("接单", "take"),)
    update = {"userids": ["LiMing"], "agentid": AGENT, "response_code": sent["response_code"]}
    button = {"button": {"replace_name": "李工已接单"}}
    assert (await call(http, sim, "message/update_template_card", **update, **button))["errcode"] == 0
    assert (len(shown.buttons), shown.text) == (0, "报障\n李工已接单")
    assert sim.direct_messages("wangfang")[0].buttons, "only those who are named"
    assert (await call(http, sim, "message/update_template_card", **update, **button))["errcode"] == 60140
    late = sim.messages.mint(sim.world.apps[AGENT], "t1")
    sim_clock.advance(72 * 3600)
    update["response_code"] = late
    assert (await call(http, sim, "message/update_template_card", **update, **button))["errcode"] == 60140


async def test_a_card_that_was_turned_into_a_notice_can_be_updated_no_more(
    sim: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    card = {"touser": "LiMing|wangfang", "msgtype": "template_card", "agentid": AGENT, "template_card": CARD}
    code = (await call(http, sim, "message/send", **card))["response_code"]
    notice = {"card_type": "text_notice", "main_title": {"title": "李工已接单"}}
    update = {"userids": ["LiMing", "wangfang"], "agentid": AGENT, "response_code": code, "template_card": notice}
    assert (await call(http, sim, "message/update_template_card", **update))["errcode"] == 42045, (
        "it must lead somewhere"
    )
    notice["card_action"] = {"type": 1, "url": "https://example.org"}
    assert (await call(http, sim, "message/update_template_card", **update))["errcode"] == 0
    assert [sim.direct_messages(user)[0].text for user in ("LiMing", "wangfang")] == ["李工已接单"] * 2
    update["response_code"] = sim.messages.mint(sim.world.apps[AGENT], "t1")
    assert (await call(http, sim, "message/update_template_card", **update))["errcode"] == 42031


async def test_plain_messages_have_no_code_and_cards_need_a_callback_address(
    sim: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    assert "response_code" not in await send(http, sim, "LiMing", "x")
    sim.world.apps[AGENT].url = ""
    card = {"touser": "LiMing", "msgtype": "template_card", "agentid": AGENT, "template_card": CARD}
    assert (await call(http, sim, "message/send", **card))["errcode"] == 43012


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"task_id": "no spaces"}, 42014),
        ({"card_type": "novelty"}, 42031),
        ({"main_title": {}}, 42033),
        ({"button_list": []}, 42017),
        ({"button_list": [{"text": "x", "key": "k" * 1025}]}, 42039),
        ({"card_type": "text_notice"}, 42045),
        ({"horizontal_content_list": [{"keyname": "a", "value": "b"}] * 7}, 42035),
        ({"card_type": "vote_interaction"}, 42043),
        ({"card_type": "multiple_interaction"}, 42047),
    ],
)
async def test_every_block_of_a_card_is_looked_at(
    sim: WeComSimulator, http: aiohttp.ClientSession, change: Json, code: int
) -> None:
    card = {"touser": "LiMing", "msgtype": "template_card", "agentid": AGENT, "template_card": {**CARD, **change}}
    assert (await call(http, sim, "message/send", **card))["errcode"] == code


async def test_a_recall_works_for_a_day(
    sim: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    first, second = await send(http, sim, "LiMing", "a"), await send(http, sim, "LiMing", "b")
    assert (await call(http, sim, "message/recall", msgid=first["msgid"]))["errcode"] == 0
    assert [seen.text for seen in sim.direct_messages("LiMing")] == ["b"]
    sim_clock.advance(24 * 3600 + 1)
    assert (await call(http, sim, "message/recall", msgid=second["msgid"]))["errcode"] == 42052


async def test_an_app_speaks_in_its_own_groups_only_and_without_cards(
    sim: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    text = {"msgtype": "text", "text": {"content": "hi", "mentioned_list": ["LiMing"]}}
    answer = await call(http, sim, "appchat/send", chatid=APP_GROUP, **text)
    assert (answer["errcode"], "msgid" in answer) == (0, False)
    assert sim.group_messages(APP_GROUP)[0].mentions == ("LiMing",)
    assert (await call(http, sim, "appchat/send", chatid=GROUP, **text))["errcode"] == 86008
    assert (await call(http, sim, "appchat/send", chatid="no", **text))["errcode"] == 86003
    assert (await call(http, sim, "appchat/send", chatid=APP_GROUP, msgtype="template_card"))["errcode"] == 40008
    made = await call(http, sim, "appchat/create", name="新群", userlist=["LiMing", "wangfang"])
    assert (await call(http, sim, "appchat/send", chatid=made["chatid"], **text))["errcode"] == 0


async def test_what_a_member_gets_in_an_apps_groups_over_the_limit_is_dropped_without_a_word(
    sim_clock: ManualClock, http: aiohttp.ClientSession
) -> None:
    async with WeComSimulator(sim_clock, Limits(group_member_per_minute=3, group_recipients_per_minute=9)) as sim:
        populate(sim)
        sim.world.group("OPS02", "另一个应用群", "LiMing", "zhaowei").made_by = AGENT
        codes = []
        for number, chat in enumerate((APP_GROUP, "OPS02", APP_GROUP, "OPS02", APP_GROUP)):
            text = {"msgtype": "text", "text": {"content": str(number)}}
            codes.append((await call(http, sim, "appchat/send", chatid=chat, **text))["errcode"])
        assert codes == [0, 0, 0, 0, 45009], "over a member's limit nothing is said, over the corporation's an error"
        assert sim.groups.dropped == [("LiMing", "3")]
        assert [seen.text for seen in sim.ledger.seen_by("LiMing")] == ["0", "1", "2"]
        assert [seen.text for seen in sim.ledger.seen_by("zhaowei")] == ["1", "3"]


async def test_a_group_robot_says_twenty_a_minute_and_then_nothing_for_one(
    sim: WeComSimulator, http: aiohttp.ClientSession, sim_clock: ManualClock
) -> None:
    url = f"{sim.base_url}/cgi-bin/webhook/send?key={ROBOT_KEY}"
    text = {"msgtype": "text", "text": {"content": "x", "mentioned_list": ["wangfang"]}}
    codes = [(await post(http, url, text))["errcode"] for _ in range(21)]
    assert codes == [0] * 20 + [45009]
    sim_clock.advance(59)
    assert (await post(http, url, text))["errcode"] == 45009
    sim_clock.advance(2)
    assert (await post(http, url, text))["errcode"] == 0
    assert sim.group_messages(GROUP)[0].mentions == ("wangfang",)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msgtype": "markdown", "markdown": {"content": "长" * 1366}}, 40058),
        ({"msgtype": "text", "text": {"content": "x" * 2049}}, 40058),
        ({"msgtype": "image", "image": {"base64": b64encode(b"png").decode(), "md5": "0"}}, 301019),
        ({"msgtype": "image", "image": {"base64": b64encode(bytes(2 << 20) + b"x").decode(), "md5": "0"}}, 93018),
        ({"msgtype": "template_card", "template_card": CARD}, 42031),
        ({"msgtype": "file", "file": {"media_id": "of somebody else"}}, 40007),
    ],
)
async def test_what_a_group_robot_may_not_say(
    sim: WeComSimulator, http: aiohttp.ClientSession, body: Json, code: int
) -> None:
    assert (await post(http, f"{sim.base_url}/cgi-bin/webhook/send?key={ROBOT_KEY}", body))["errcode"] == code


async def test_group_robots_end_in_three_ways(sim: WeComSimulator, http: aiohttp.ClientSession) -> None:
    url = f"{sim.base_url}/cgi-bin/webhook/send?key="
    text = {"msgtype": "text", "text": {"content": "x"}}
    assert (await post(http, url + "no", text))["errcode"] == 93000
    robot = sim.world.robots[ROBOT_KEY]
    robot.stopped = True
    assert (await post(http, url + ROBOT_KEY, text))["errcode"] == 93004
    robot.stopped, robot.removed = False, True
    assert (await post(http, url + ROBOT_KEY, text))["errcode"] == 93008


async def test_a_picture_with_the_right_sum_is_shown_and_files_are_the_uploaders_own(
    sim: WeComSimulator, http: aiohttp.ClientSession
) -> None:
    url = f"{sim.base_url}/cgi-bin/webhook"
    data = b"not really a png"
    image = {"base64": b64encode(data).decode(), "md5": hashlib.md5(data, usedforsecurity=False).hexdigest()}
    assert (await post(http, f"{url}/send?key={ROBOT_KEY}", {"msgtype": "image", "image": image}))["errcode"] == 0
    form = aiohttp.FormData()
    form.add_field("media", data, filename="a.xlsx")
    async with http.post(f"{url}/upload_media?key={ROBOT_KEY}&type=file", data=form) as response:
        media_id = (await response.json())["media_id"]
    file = {"msgtype": "file", "file": {"media_id": media_id}}
    assert (await post(http, f"{url}/send?key={ROBOT_KEY}", file))["errcode"] == 0
    refused = await call(http, sim, "message/send", touser="LiMing", agentid=AGENT, **file)
    assert refused["errcode"] == 40007, "a robot's upload is not the app's"


async def test_broken_json_and_faults_on_demand(sim: WeComSimulator, http: aiohttp.ClientSession) -> None:
    access = (await token(http, sim))["access_token"]
    async with http.post(f"{sim.base_url}/cgi-bin/message/send?access_token={access}", data=b"{") as response:
        assert response.status == 200
        assert "wrong json format" in (await response.json())["errmsg"]
        assert response.headers["Error-Code"] == "47001"
    sim.faults.next("message/send", drop=True)
    with pytest.raises(aiohttp.ClientError):
        await send(http, sim, "LiMing", "x")
    sim.faults.next("message/send", status=502, html="<html>")
    with pytest.raises(AssertionError):
        await send(http, sim, "LiMing", "x")
