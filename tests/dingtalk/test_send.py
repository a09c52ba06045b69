"""Sending: the way a message takes, what comes back for each address, and what happens when a way is closed."""

import asyncio
import json
from datetime import timedelta

import pytest

from adapters.dingtalk.adapter import DingTalkAdapter
from storage.messages import Action, Attachment, Urgency
from storage.ports import Downloads, Recalls, Receipts, Refused, Retry, SendError, Sent, Unsure
from tests.dingtalk.bench import IN_GROUP, Bench, bench, person
from tests.dingtalk.conftest import CLIENT_ID, GROUP, until
from tests.playing import sent
from tests.simulators.dingtalk import Limits

TAKE = Action(label="我来处理", value="take:GZ-20261124-001", say="我来处理 GZ-20261124-001")


async def hints_of_a_question(b: Bench, group: str = GROUP) -> dict[str, str]:
    await b.connect()
    await b.simulator.talk.say("liming", "三楼没声音", group)
    return (await b.heard()).hints


def last_in_group(b: Bench) -> tuple[str, str]:
    shown = b.simulator.group_messages(GROUP)[-1]
    return shown.via, shown.text


async def test_a_reply_goes_through_the_session_and_mentions() -> None:
    async with bench() as b:
        hints = await hints_of_a_question(b)
        sent(await b.send(IN_GROUP, text="已受理", mentions=("liming",), hints=hints))
        shown = b.simulator.group_messages(GROUP)[-1]
        assert (shown.via, shown.text, shown.mentions) == ("sessionWebhook", "已受理\n@liming", ("liming",))


async def test_an_old_session_is_not_tried_and_the_openapi_takes_over() -> None:
    async with bench() as b:
        hints = await hints_of_a_question(b)
        await b.stop()
        b.clock.advance(timedelta(minutes=89))
        outcome = sent(await b.send(IN_GROUP, text="已受理", hints=hints))
        assert outcome.provider_id
        assert last_in_group(b) == ("groupMessages", "已受理")
        assert not b.simulator.calls_of("sendBySession")


async def test_a_session_that_ended_early_falls_back_within_the_same_try() -> None:
    async with bench() as b:
        hints = await hints_of_a_question(b)
        b.simulator.faults.next("sendBySession", errcode=300001)
        sent(await b.send(IN_GROUP, text="已受理", hints=hints))
        assert last_in_group(b) == ("groupMessages", "已受理")


async def test_hints_are_used_for_their_own_conversation_only() -> None:
    async with bench() as b:
        hints = await hints_of_a_question(b)
        sent(await b.send(person("wangfang"), text="请处理", hints=hints))
        assert [seen.via for seen in b.simulator.direct_messages("wangfang")] == ["oToMessages"]


async def test_a_session_on_a_foreign_host_is_never_called() -> None:
    async with bench() as b:
        await b.connect()
        await b.simulator.talk.say("liming", "x", GROUP, changes={"sessionWebhook": "https://evil.example/hook"})
        assert "session_webhook" not in (await b.heard()).hints


async def test_mentions_out_of_the_blue_use_the_freshest_session_of_the_group() -> None:
    async with bench() as b:
        await hints_of_a_question(b)
        sent(await b.send(IN_GROUP, text="请接单", mentions=("wangfang",)))
        assert b.simulator.ledger.mentioning("wangfang")[-1].text == "请接单\n@wangfang"


async def test_mentions_without_a_session_use_the_groups_custom_robot_with_its_signature() -> None:
    async with bench(robot="SECret") as b:
        sent(await b.send(IN_GROUP, text="请接单", mentions=("wangfang",)))
        shown = b.simulator.group_messages(GROUP)[-1]
        assert (shown.via, shown.mentions) == ("customWebhook", ("wangfang",))


async def test_without_any_webhook_the_words_still_arrive() -> None:
    async with bench() as b:
        sent(await b.send(IN_GROUP, text="请接单", mentions=("wangfang",)))
        assert last_in_group(b) == ("groupMessages", "请接单")


async def test_the_custom_robot_gets_twenty_a_minute_and_the_rest_goes_round_it() -> None:
    async with bench(robot="SECret") as b:
        for number in range(25):
            sent(await b.send(IN_GROUP, text=str(number), mentions=("wangfang",)))
            await b.pass_time(1)
        ways = [shown.via for shown in b.simulator.group_messages(GROUP)]
        assert ways.count("customWebhook") == 20
        assert len(ways) == 25
        assert len(b.simulator.calls_of("robot/send")) == 20, "it was never asked for more"


async def test_a_robot_that_was_blocked_by_others_is_left_alone_for_ten_minutes() -> None:
    async with bench(robot="SECret") as b:
        b.simulator.faults.next("robot/send", errcode=410100)
        for minutes in (0, 9, 2):
            await b.pass_time(minutes * 60, step=60)
            sent(await b.send(IN_GROUP, text="请接单", mentions=("wangfang",)))
        assert len(b.simulator.calls_of("robot/send")) == 2


async def test_a_retry_after_an_unsure_send_shows_a_custom_robots_message_once() -> None:
    async with bench(robot="SECret") as b:
        b.simulator.faults.next("robot/send", status=504, after_delivery=True)
        assert isinstance(await b.send(IN_GROUP, key="k", mentions=("wangfang",)), Unsure)
        sent(await b.send(IN_GROUP, key="k", mentions=("wangfang",)))
        assert len(b.simulator.group_messages(GROUP)) == 1


async def test_a_custom_robot_reaches_a_group_the_app_is_not_in() -> None:
    async with bench(robot="SECret") as b:
        b.simulator.faults.next("groupMessages/send", status=400, code="robot.notInGroup")
        sent(await b.send(IN_GROUP))
        assert last_in_group(b) == ("customWebhook", "你好")


async def test_people_are_written_to_twenty_at_a_time_and_failures_are_theirs_alone() -> None:
    async with bench() as b:
        users = [f"u{number}" for number in range(43)]
        for user in users:
            b.simulator.world.person(user)
        b.simulator.messages.flow_controlled.add("u3")
        outcomes = await b.send(*(person(user) for user in users), person("nobody"), text="通知")
        assert [len(call.json["userIds"]) for call in b.simulator.calls_of("batchSend")] == [20, 20, 4]
        assert isinstance(outcomes[person("nobody")], Refused)
        late = outcomes[person("u3")]
        assert isinstance(late, Retry)
        assert late.not_before is not None
        reached = [a for a, outcome in outcomes.items() if isinstance(outcome, Sent)]
        assert len(reached) == 42
        assert all(len(b.simulator.direct_messages(a.id)) == 1 for a in reached)


async def test_a_long_text_comes_in_numbered_parts_that_lose_nothing() -> None:
    async with bench() as b:
        text = "\n".join(f"{number}. 某某县某某局分会场，电源正常" for number in range(1500))
        sent(await b.send(person("liming"), text=text))
        shown = [seen.text for seen in b.simulator.direct_messages("liming")]
        assert len(shown) > 2
        assert shown[0].startswith(f"（1/{len(shown)}）")
        assert "\n".join(part.split("）", 1)[1] for part in shown) == text


async def test_a_retry_goes_on_with_the_part_that_failed() -> None:
    async with bench() as b:
        text = "长" * 9000
        b.simulator.faults.next("batchSend", status=200, body={"processQueryKey": "k1"})
        b.simulator.faults.next("batchSend", status=500, code="system.error")
        assert isinstance(await b.send(person("liming"), text=text, key="k"), Retry)
        sent(await b.send(person("liming"), text=text, key="k"))
        assert [seen.text[:5] for seen in b.simulator.direct_messages("liming")] == ["（2/3）", "（3/3）"]


async def test_answers_can_be_tapped_in_a_direct_chat_and_only_there() -> None:
    async with bench() as b:
        sent(await b.send(person("liming"), text="# 请接单\n[x](http://evil)", actions=(TAKE,)))
        sent(await b.send(IN_GROUP, text="请接单", actions=(TAKE,)))
        direct = b.simulator.direct_messages("liming")[0]
        assert direct.kind == "sampleMarkdown"
        assert "dtmd://dingtalkclient/sendMessage?content=%E6%88%91%E6%9D%A5" in direct.text
        assert "](http" not in direct.text
        assert not direct.text.startswith("#")
        assert b.simulator.group_messages(GROUP)[0].kind == "sampleText"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 403, "code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"}, Retry),
        ({"status": 403, "code": "Forbidden.AccessDenied.QpsLimitForApi"}, Retry),
        ({"status": 400, "code": "send.too.fast"}, Retry),
        ({"status": 500, "code": "system.error"}, Retry),
        ({"status": 503, "html": "<html>busy</html>"}, Retry),
        ({"status": 504, "after_delivery": True}, Unsure),
        ({"drop": True}, Unsure),
        ({"status": 403, "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"}, Refused),
        ({"status": 403, "code": "Forbidden.AccessDenied.ApiCountLimitForOrg"}, Refused),
        ({"status": 400, "code": "group.disbanded"}, Refused),
        ({"status": 400, "code": "contain.notAllowed.text"}, Refused),
    ],
)
async def test_every_class_of_error_has_its_outcome(fault: dict[str, object], kind: type[SendError]) -> None:
    async with bench() as b:
        b.simulator.faults.next("groupMessages/send", **fault)  # type: ignore[arg-type]
        outcome = await b.send(IN_GROUP)
        assert isinstance(outcome, kind)
        assert isinstance(outcome, Unsure) is (kind is Unsure)


async def test_no_dingtalk_at_all_is_a_retry_that_delivered_nothing() -> None:
    async with bench() as b:
        await b.simulator.stop()
        outcome = await b.send(IN_GROUP)
        assert isinstance(outcome, Retry)
        assert not isinstance(outcome, Unsure)


async def test_a_token_that_dies_in_mid_flight_is_renewed_once_and_nobody_notices() -> None:
    async with bench() as b:
        sent(await b.send(IN_GROUP))
        b.simulator.tokens.invalidate(CLIENT_ID)
        outcomes = await asyncio.gather(*(b.send(IN_GROUP) for _ in range(5)))
        assert all(isinstance(outcome, Sent) for outcome in outcomes)
        assert b.simulator.tokens.issued == 2
        assert len(b.simulator.group_messages(GROUP)) == 6


async def test_a_token_is_fetched_once_for_all_and_kept_until_shortly_before_its_end() -> None:
    async with bench() as b:
        await asyncio.gather(*(b.send(IN_GROUP) for _ in range(10)))
        b.clock.advance(timedelta(minutes=110))
        await b.send(IN_GROUP)
        assert len(b.simulator.calls_of("oauth2/accessToken")) == 1
        b.clock.advance(timedelta(minutes=6))
        await b.send(IN_GROUP)
        assert len(b.simulator.calls_of("oauth2/accessToken")) == 2


async def test_a_blocked_address_stops_calling_for_five_minutes_and_says_so() -> None:
    async with bench() as b:
        b.simulator.faults.blocked_page("groupMessages/send")
        outcome = await b.send(IN_GROUP)
        assert isinstance(outcome, Retry)
        assert outcome.not_before == b.clock.now() + timedelta(minutes=5)
        calls = len(b.simulator.calls)
        assert isinstance(await b.send(IN_GROUP), Retry)
        assert len(b.simulator.calls) == calls
        assert "封禁" in b.adapter._client.trouble()
        b.clock.advance(timedelta(minutes=5))
        sent(await b.send(IN_GROUP))


async def test_twenty_calls_a_second_are_never_exceeded() -> None:
    async with bench(patience=timedelta(seconds=5)) as b:
        sending = asyncio.gather(*(b.send(IN_GROUP, text=str(n)) for n in range(50)))
        await until(lambda: len(b.simulator.group_messages(GROUP)) == 20)
        await asyncio.sleep(0.05)
        assert len(b.simulator.group_messages(GROUP)) == 20
        await b.pass_time(3, step=0.1)
        assert all(isinstance(outcome, Sent) for outcome in await sending)
        assert len(b.simulator.calls_of("groupMessages/send")) == 50, "the platform never had to refuse"


async def test_without_patience_a_full_second_is_a_retry_with_its_moment() -> None:
    async with bench() as b:
        for _ in range(20):
            sent(await b.send(IN_GROUP))
        outcome = await b.send(IN_GROUP)
        assert isinstance(outcome, Retry)
        assert outcome.not_before is not None
        b.clock.set(outcome.not_before)
        sent(await b.send(IN_GROUP))


async def test_the_month_is_warned_about_at_eighty_percent_and_then_kept_for_what_matters() -> None:
    async with bench(monthly_api=50, ding=False) as b:
        b.count.values["dingtalk_api-202611"] = 39
        sent(await b.send(IN_GROUP))
        assert "40/50" in b.adapter._client.trouble()
        assert isinstance(await b.send(IN_GROUP, urgency=Urgency.ROUTINE), Refused)
        sent(await b.send(IN_GROUP, urgency=Urgency.ESCALATION))
        b.clock.advance(timedelta(days=10))
        sent(await b.send(IN_GROUP, urgency=Urgency.ROUTINE))
        assert not b.adapter._client.trouble()


async def test_a_month_that_is_over_is_told_and_the_sessions_still_work() -> None:
    async with bench(Limits(monthly_api=1)) as b:
        hints = await hints_of_a_question(b)
        sent(await b.send(IN_GROUP))
        assert isinstance(await b.send(IN_GROUP), Refused)
        assert "已用完" in b.adapter.trouble()
        sent(await b.send(IN_GROUP, hints=hints, urgency=Urgency.ANSWER))
        assert last_in_group(b)[0] == "sessionWebhook"


async def test_a_missing_permission_is_told_until_it_is_there() -> None:
    async with bench() as b:
        b.simulator.world.apps[CLIENT_ID].missing_scopes.add("Robot.Message.Send")
        assert isinstance(await b.send(IN_GROUP), Refused)
        assert "Robot.Message.Send" in b.adapter._client.trouble()
        b.simulator.world.apps[CLIENT_ID].missing_scopes.clear()
        sent(await b.send(IN_GROUP))
        assert not b.adapter._client.trouble()


async def test_a_second_that_is_full_after_all_is_waited_out_once() -> None:
    async with bench(patience=timedelta(seconds=5)) as b:
        b.simulator.faults.next("groupMessages/send", status=403, code="Forbidden.AccessDenied.QpsLimitForApi")
        sending = asyncio.create_task(b.send(IN_GROUP))
        await until(lambda: len(b.simulator.calls_of("groupMessages/send")) == 1)
        await b.pass_time(1)
        sent(await sending)


async def test_counts_survive_a_restart() -> None:
    async with bench() as b:
        await b.connect()
        for _ in range(4):
            await b.send(IN_GROUP)
        await b.stop()
        assert b.count.values["dingtalk_api-202611"] == 4


async def test_an_urgent_step_rings_in_the_app_then_by_sms_then_by_phone() -> None:
    async with bench() as b:
        for _ in range(4):
            for _ in range(2):
                sent(await b.send(person("liming"), text="请接单", about="GZ-1", urgent_call=True))
            b.clock.advance(timedelta(minutes=5))
        ways = [seen.via for seen in b.simulator.direct_messages("liming") if seen.via.startswith("ding")]
        assert ways == ["ding:app", "ding:sms", "ding:phone", "ding:phone"]


async def test_without_phone_quota_the_next_weaker_way_rings() -> None:
    async with bench(Limits(ding_quota=(None, 5, 0))) as b:
        for _ in range(3):
            await b.send(person("liming"), text="请接单", about="GZ-1", urgent_call=True)
            b.clock.advance(timedelta(minutes=5))
        ways = [seen.via for seen in b.simulator.direct_messages("liming") if seen.via.startswith("ding")]
        assert ways == ["ding:app", "ding:sms", "ding:sms"]


async def test_an_edition_without_ding_gets_the_words_and_is_asked_once_a_day() -> None:
    async with bench(Limits(ding_edition=False)) as b:
        for _ in range(3):
            sent(await b.send(person("liming"), text="请接单", urgent_call=True))
        assert len(b.simulator.calls_of("ding/send")) == 1
        assert not b.adapter._client.trouble(), "nothing that an operator would have to mend"
        assert [seen.via for seen in b.simulator.direct_messages("liming")] == ["oToMessages"] * 3


async def test_a_file_is_uploaded_and_sent_after_the_words() -> None:
    async def load(sha256: str) -> bytes:
        return {"abc": b"%PDF"}[sha256]

    async with bench(load=load) as b:
        notice = Attachment(kind="file", name="通知.pdf", sha256="abc")
        sent(await b.send(IN_GROUP, text="见附件", attachments=(notice,)))
        words, document = b.simulator.group_messages(GROUP)
        assert words.text == "见附件"
        assert b.simulator.media.uploads[document.text].data == b"%PDF"
        assert isinstance(
            await b.send(IN_GROUP, attachments=(Attachment(kind="file", name="a.exe", sha256="abc"),)), Refused
        )


async def test_who_has_read_is_known_a_moment_later_and_a_message_can_be_taken_back() -> None:
    async with bench() as b:
        for address in (IN_GROUP, person("liming")):
            outcome = sent(await b.send(address))
            with pytest.raises(Retry):
                await b.adapter.readers(address, outcome.provider_id)
            await b.simulator.read("liming", b.simulator.ledger.with_key(outcome.provider_id)[0])
            assert await b.adapter.readers(address, outcome.provider_id) == {"liming"}
            assert await b.adapter.recall(address, outcome.provider_id)
            assert not b.simulator.ledger.with_key(outcome.provider_id)[0].read_by - {"liming"}
        assert not b.simulator.group_messages(GROUP)
        assert not await b.adapter.recall(IN_GROUP, "")


async def test_no_secret_shows_in_an_outcome() -> None:
    async with bench() as b:
        hints = await hints_of_a_question(b)
        await b.simulator.stop()
        outcome = await b.send(IN_GROUP, hints=hints)
        assert isinstance(outcome, Retry)
        assert "session" not in outcome.reason
        assert "fake-secret" not in json.dumps(repr(outcome))


async def test_a_quote_of_our_own_message_has_its_words_even_when_the_platform_leaves_them_out() -> None:
    async with bench() as b:
        await b.connect()
        sent(await b.send(person("liming"), text="请接单 GZ-20261124-001"))
        (shown,) = b.simulator.direct_messages("liming")
        wordless = {"content": "收到", "isReplyMsg": True, "repliedMsg": {"msgType": "interactiveCard"}}
        await b.simulator.talk.say("liming", "收到", quoting=shown, changes={"text": wordless})
        quote = (await b.heard()).quote
        assert quote is not None
        assert quote.text == "请接单 GZ-20261124-001"


def test_the_adapter_offers_what_the_ports_ask_for() -> None:
    assert issubclass(DingTalkAdapter, Downloads)
    assert issubclass(DingTalkAdapter, Receipts)
    assert issubclass(DingTalkAdapter, Recalls)
