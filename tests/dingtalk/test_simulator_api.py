"""Tokens, throttles, robot sends, receipts, DING and files of the simulator."""

import json

import aiohttp
import pytest
from yarl import URL

from tests.dingtalk.conftest import CLIENT_ID, CLIENT_SECRET, GROUP
from tests.dingtalk.wire import Json, call, post, token
from tests.simulators.dingtalk import DingTalkSimulator, ManualClock

HELLO = {"msgKey": "sampleText", "msgParam": '{"content":"你好"}'}
TO_GROUP = {"openConversationId": GROUP, **HELLO}


async def test_a_token_stays_while_valid_is_prolonged_and_then_changes(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    first = await token(http, simulator)
    sim_clock.advance(7000)
    assert await token(http, simulator) == first
    sim_clock.advance(7000)
    assert await token(http, simulator) == first
    sim_clock.advance(7200)
    assert await token(http, simulator) != first


async def test_a_dead_token_gets_http_400_from_the_new_api_and_errcodes_from_the_old(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    mine = await token(http, simulator)
    url = simulator.base_url + "/media/upload?type=file&access_token="
    assert (await post(http, url, {}))["errcode"] == 41001
    simulator.tokens.invalidate(CLIENT_ID)
    send = simulator.base_url + "/v1.0/robot/groupMessages/send"
    answer = await post(http, send, TO_GROUP, mine)
    assert (answer["status"], answer["code"]) == (400, "InvalidAuthentication")
    assert (await post(http, url + mine, {}))["errcode"] == 40014
    fresh = await token(http, simulator)
    sim_clock.advance(7200)
    assert (await post(http, url + fresh, {}))["errcode"] == 42001


async def test_wrong_credentials_have_three_shapes(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> None:
    new = await post(http, simulator.base_url + "/v1.0/oauth2/accessToken", {"appKey": CLIENT_ID, "appSecret": "no"})
    assert (new["status"], new["code"]) == (400, "invalidClientIdOrSecret")
    corp = {"client_id": CLIENT_ID, "client_secret": "no", "grant_type": "client_credentials"}
    answer = await post(http, simulator.base_url + "/v1.0/oauth2/dingcorp0001/token", corp)
    assert (answer["status"], answer["code"]) == (400, "invalid.client")
    async with http.get(f"{simulator.base_url}/gettoken?appkey={CLIENT_ID}&appsecret=no") as response:
        assert response.status == 200
        assert (await response.json())["errcode"] != 0
    async with http.get(f"{simulator.base_url}/gettoken?appkey={CLIENT_ID}&appsecret={CLIENT_SECRET}") as response:
        assert (await response.json())["access_token"] == await token(http, simulator)


async def test_twenty_calls_a_second_and_five_thousand_a_month(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    codes = [await call(http, simulator, "robot/groupMessages/send", **TO_GROUP) for _ in range(21)]
    assert codes[19]["status"] == 200
    assert codes[20]["code"] == "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
    sim_clock.advance(1)
    simulator.limits.monthly_api = 20
    answer = await call(http, simulator, "robot/groupMessages/send", **TO_GROUP)
    assert (answer["status"], answer["code"]) == (403, "Forbidden.AccessDenied.ApiCountLimitForOrg")


async def test_an_address_that_calls_too_much_gets_a_page(http: aiohttp.ClientSession) -> None:
    from tests.simulators.dingtalk import Limits

    clock = ManualClock()
    async with DingTalkSimulator(clock, Limits(ip_calls=2)) as small:
        for _ in range(2):
            async with http.get(small.base_url + "/gettoken") as response:
                assert response.content_type == "application/json"
        async with http.get(small.base_url + "/gettoken") as response:
            assert response.content_type == "text/html"
            assert '"source":"x5"' in await response.text()
        clock.advance(300)
        async with http.get(small.base_url + "/gettoken") as response:
            assert response.content_type == "application/json"


async def test_a_504_may_come_after_the_delivery(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> None:
    simulator.faults.next("groupMessages/send", status=504, after_delivery=True)
    assert (await call(http, simulator, "robot/groupMessages/send", **TO_GROUP))["status"] == 504
    assert [seen.text for seen in simulator.group_messages(GROUP)] == ["你好"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"robotCode": "other"}, "invalidParameter.robotCode.auth"),
        ({"msgKey": "sampleActionCard1"}, "invalidParameter.msgKey.invalid"),
        ({"msgParam": {"content": "x"}}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": '{"text":"x"}'}, "invalidParameter.msgParam.invalid"),
        ({"msgParam": json.dumps({"content": "长" * 5000}, ensure_ascii=False)}, "invalidParameter.msgParam.tooLong"),
        ({"openConversationId": "cidNowhere"}, "invalid.openConversationId"),
    ],
)
async def test_group_sends_are_checked(
    changes: Json, code: str, http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    answer = await call(http, simulator, "robot/groupMessages/send", **{**TO_GROUP, **changes})
    assert (answer["status"], answer["code"]) == (400, code)


async def test_one_to_one_sends_fail_in_part_within_http_200(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    simulator.messages.flow_controlled.add("wangfang")
    answer = await call(
        http, simulator, "robot/oToMessages/batchSend", userIds=["liming", "wangfang", "nobody"], **HELLO
    )
    assert answer["invalidStaffIdList"] == ["nobody"]
    assert answer["flowControlledStaffIdList"] == ["wangfang"]
    assert [seen.text for seen in simulator.direct_messages("liming")] == ["你好"]
    assert not simulator.direct_messages("wangfang")
    many = await call(http, simulator, "robot/oToMessages/batchSend", userIds=["liming"] * 21, **HELLO)
    assert many["code"] == "invalidParameter.userIds.overMax"


async def test_read_status_comes_a_moment_later_and_recall_within_a_day(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    sent = await call(http, simulator, "robot/oToMessages/batchSend", userIds=["liming"], **HELLO)
    key = sent["processQueryKey"]
    url = URL(simulator.base_url + "/v1.0/robot/oToMessages/readStatus")
    url = url.with_query(robotCode=CLIENT_ID, processQueryKey=key)
    headers = {"x-acs-dingtalk-access-token": await token(http, simulator)}
    async with http.get(url, headers=headers) as early:
        assert (await early.json())["code"] == "processQueryKey.expireTime"
    await simulator.read("liming", simulator.direct_messages("liming")[0])
    async with http.get(url, headers=headers) as later:
        assert (await later.json())["messageReadInfoList"][0]["readStatus"] == "READ"
    recall = await call(http, simulator, "robot/otoMessages/batchRecall", processQueryKeys=[key, "unknown"])
    assert recall["successResult"] == [key]
    assert recall["failedResult"] == {"unknown": "processQueryKey.notExist"}
    assert not simulator.direct_messages("liming")
    old = await call(http, simulator, "robot/oToMessages/batchSend", userIds=["liming"], **HELLO)
    sim_clock.advance(24 * 3600 + 1)
    late = await call(http, simulator, "robot/otoMessages/batchRecall", processQueryKeys=[old["processQueryKey"]])
    assert old["processQueryKey"] in late["failedResult"]


async def test_readers_of_a_group_message_come_in_pages(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    sent = await call(http, simulator, "robot/groupMessages/send", **TO_GROUP)
    for user in ("liming", "wangfang"):
        await simulator.read(user, simulator.group_messages(GROUP)[0])
    sim_clock.advance(2)
    query = {"processQueryKey": sent["processQueryKey"], "maxResults": 1}
    first = await call(http, simulator, "robot/groupMessages/query", **query)
    assert (first["readUserIds"], first["hasMore"]) == (["liming"], True)
    second = await call(http, simulator, "robot/groupMessages/query", nextToken=first["nextToken"], **query)
    assert (second["readUserIds"], second["hasMore"]) == (["wangfang"], False)


async def test_ding_needs_edition_quota_and_few_receivers(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator
) -> None:
    simulator.dings.unreachable["wangfang"] = "no phone"
    body = {"remindType": 3, "receiverUserIdList": ["liming", "wangfang"], "content": "请处理"}
    answer = await call(http, simulator, "robot/ding/send", **body)
    assert answer["failedList"] == {"no phone": ["wangfang"]}
    assert simulator.direct_messages("liming")[0].via == "ding:phone"
    crowd = {**body, "receiverUserIdList": ["liming"] * 21}
    assert (await call(http, simulator, "robot/ding/send", **crowd))["code"] == "ding.receivercount.limit"
    simulator.limits.ding_quota = (None, None, 1)
    assert (await call(http, simulator, "robot/ding/send", **body))["code"] == "ding.serverquota.insufficient"
    simulator.limits.ding_edition = False
    refused = await call(http, simulator, "robot/ding/send", **body)
    assert refused["accessdenieddetail"] == {"requiredScopes": ["Premium.Ding.Write"]}


async def test_files_come_by_code_and_go_by_form(
    http: aiohttp.ClientSession, simulator: DingTalkSimulator, sim_clock: ManualClock
) -> None:
    code = simulator.media.put(b"picture")
    url = (await call(http, simulator, "robot/messageFiles/download", downloadCode=code))["downloadUrl"]
    async with http.get(url) as response:
        assert await response.read() == b"picture"
    sim_clock.advance(601)
    async with http.get(url) as response:
        assert response.status == 403
    wrong = await call(http, simulator, "robot/messageFiles/download", downloadCode="unknown")
    assert wrong["code"] == "invalidParameter.downloadCode"
    form = aiohttp.FormData({"type": "image"})
    form.add_field("media", b"data", filename="a.png")
    upload = f"{simulator.base_url}/media/upload?access_token={await token(http, simulator)}"
    async with http.post(upload, data=form) as response:
        media_id = (await response.json())["media_id"]
    assert simulator.media.uploads[media_id].data == b"data"
