"""The read API as the contract's table describes it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.messages import Urgency
from storage.models import AuditEntry, Delivery, Fault, Meeting, Obligation
from storage.work import Work
from tests.web.house import START, TOKEN, House, house

CONTRACT = {
    "meetings": "number title systems starts_at ends_at state version site_ids",
    "faults": "number level state site_id unit_id reporter symptom created_at acked_at resolved_at closed_at",
    "obligations": "id kind unit_id site_id person_ids meeting fault due_at state met_at met_by met_via step",
    "deliveries": "id platform address state attempts created_at sent_at about",
    "audit": "seq at who what about hash",
}


def fault(number: int, **values: Any) -> Fault:
    at = START + timedelta(minutes=number)
    fields: dict[str, Any] = {"number": f"GZ-20261124-{number:03d}", "level": "III", "unit_id": "X1", "created_at": at}
    return Fault(**fields | values)


def meeting() -> Meeting:
    return Meeting(
        number="HY-20261125-001",
        title="全省防汛视频会商",
        systems=["water"],
        site_ids=["S1", "S2"],
        starts_at=datetime.fromisoformat("2026-11-25T09:30:00+08:00"),
        created_at=START,
    )


def debt(unit: str, **values: Any) -> Obligation:
    due = START + timedelta(minutes=10)
    fields: dict[str, Any] = {"kind": "notice_ack", "unit_id": unit, "due_at": due, "opened_at": START}
    return Obligation(**fields | values)


def delivery(key: str, **values: Any) -> Delivery:
    fields: dict[str, Any] = {
        "dedupe_key": key,
        "platform": "dingtalk",
        "address": "dingtalk:direct:dt-li",
        "hints": {"session_webhook": "https://secret.example.org/hook"},
        "message": {"text": "秘密"},
        "urgency": int(Urgency.NOTICE),
        "not_before": START,
        "created_at": START,
    }
    return Delivery(**fields | values)


async def everything(home: House) -> None:
    await home.add(meeting(), fault(1), debt("X1"), delivery("a"), AuditEntry(at=START, who="li", what="fault.taken"))


@pytest.mark.parametrize("resource", CONTRACT)
async def test_rows_have_the_fields_of_the_contract(home: House, resource: str) -> None:
    await everything(home)
    status, page = await home.get(f"/api/v1/{resource}")
    assert status == 200
    assert set(page) == {"rows", "next"}
    assert page["next"] is None
    assert set(CONTRACT[resource].split()) <= set(page["rows"][0])


async def test_times_carry_the_offset_of_the_configured_zone(home: House) -> None:
    await home.add(meeting())
    _, page = await home.get("/api/v1/meetings")
    assert page["rows"][0]["starts_at"] == "2026-11-25T09:30:00+08:00"


async def test_an_empty_token_closes_the_api(tmp_path: Path) -> None:
    async with house(tmp_path, token="") as home:
        assert (await home.get("/api/v1/faults", token=""))[0] == 403
        assert (await home.get("/api/v1/faults", token="anything"))[0] == 403


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "令牌"])
async def test_a_wrong_token_is_refused(home: House, token: str) -> None:
    status, page = await home.get("/api/v1/faults", token=token)
    assert status == 401
    assert "rows" not in page


async def test_the_token_must_come_as_a_bearer_token(home: House) -> None:
    headers = {"Authorization": f"Basic {TOKEN}"}
    async with home.client.get("/api/v1/faults", headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_secrets_and_texts_of_messages_stay_inside(home: House) -> None:
    await home.add(delivery("a"))
    _, page = await home.get("/api/v1/deliveries")
    assert "secret.example.org" not in str(page)
    assert "秘密" not in str(page)


async def test_newest_first_page_by_page_without_gap_or_repeat(home: House) -> None:
    """Also while new rows arrive between two pages."""
    await home.add(*[fault(number) for number in range(1, 8)])
    seen, after = [], ""
    for _ in range(10):
        _, page = await home.get("/api/v1/faults?limit=3" + (f"&after={after}" if after else ""))
        seen += [row["number"][-3:] for row in page["rows"]]
        after = page["next"]
        if after is None:
            break
        await home.add(fault(100 + len(seen)))
    assert seen == ["007", "006", "005", "004", "003", "002", "001"]


async def test_rows_of_the_same_moment_are_all_seen(home: House) -> None:
    await home.add(*[fault(number, created_at=START) for number in range(1, 6)])
    _, first = await home.get("/api/v1/faults?limit=2")
    _, second = await home.get(f"/api/v1/faults?limit=10&after={first['next']}")
    assert len({row["number"] for row in first["rows"] + second["rows"]}) == 5


async def test_pages_follow_the_order_of_creation_not_of_numbers(home: House) -> None:
    """A meeting of next month may be drafted before one of tomorrow."""
    for minutes, number in enumerate((9, 1, 5, 3)):
        await home.add(fault(number, created_at=START + timedelta(minutes=minutes)))
    seen, query = [], "limit=1"
    for _ in range(4):
        _, page = await home.get(f"/api/v1/faults?{query}")
        seen += [row["number"][-3:] for row in page["rows"]]
        query = f"limit=1&after={page['next']}"
    assert seen == ["003", "005", "001", "009"]
    assert page["next"] is None


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "", "９", "1" * 40])
async def test_a_bad_limit_is_the_callers_mistake(home: House, limit: str) -> None:
    status, page = await home.get(f"/api/v1/faults?limit={limit}")
    assert status == 400
    assert "limit" in page["error"]


@pytest.mark.parametrize("resource", ["obligations", "faults"])
@pytest.mark.parametrize("after", ["x", "999999", "", "9" * 30, "%00"])
async def test_a_cursor_nobody_gave_out_is_refused(home: House, resource: str, after: str) -> None:
    status, _ = await home.get(f"/api/v1/{resource}?after={after}")
    assert status == 400


async def test_an_unknown_field_is_named(home: House) -> None:
    status, page = await home.get("/api/v1/faults?colour=red")
    assert status == 400
    assert "colour" in page["error"]


async def test_hidden_fields_are_no_filters(home: House) -> None:
    status, _ = await home.get("/api/v1/deliveries?hints=x")
    assert status == 400


def filters() -> Iterator[tuple[str, list[str]]]:
    yield "state=open", ["X1", "X2"]
    yield "state=open&state=met", ["X1", "X2", "C1"]
    yield "unit_id=X1", ["X1"]
    yield "unit_id=X1&state=met", []
    yield "person_ids=li", ["X1"]
    yield "person_ids=l", []
    yield "person_ids=%25", []
    yield "met_by=", ["X1", "X2"]
    yield "met_at=", ["X1", "X2"]
    yield "step=2", ["C1"]
    yield "due_at=2026-11-24T15:20:00%2B08:00", ["X1", "C1"]
    yield "due_at=2026-11-24T15:20:00+08:00", ["X1", "C1"]
    yield "due_at=2026-11-24T07:20:00Z", ["X1", "C1"]
    yield "due_at=2026-11-24T15:20:00", ["X1", "C1"]


@pytest.mark.parametrize(("query", "units"), list(filters()))
async def test_any_field_filters(home: House, query: str, units: list[str]) -> None:
    await home.add(
        debt("X1", person_ids=["li", "zhao"]),
        debt("X2", due_at=START + timedelta(minutes=20)),
        debt("C1", state="met", met_by="he", met_at=START, step=2),
    )
    status, page = await home.get(f"/api/v1/obligations?{query}")
    assert status == 200, page
    assert sorted(row["unit_id"] for row in page["rows"]) == sorted(units)


@pytest.mark.parametrize("query", ["step=x", "due_at=gestern", "id=" + "9" * 30, "unit_id=%00", "step=1e400"])
async def test_a_value_that_does_not_fit_is_the_callers_mistake(home: House, query: str) -> None:
    status, _ = await home.get(f"/api/v1/obligations?{query}")
    assert status == 400


async def test_flags_filter_too(home: House) -> None:
    await home.add(delivery("a", resend=True), delivery("b"))
    _, page = await home.get("/api/v1/deliveries?resend=true")
    assert len(page["rows"]) == 1
    assert (await home.get("/api/v1/deliveries?resend=maybe"))[0] == 400


async def test_unknown_resources_and_methods(home: House) -> None:
    assert (await home.get("/api/v1/people"))[0] == 404
    async with home.client.post("/api/v1/faults", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        assert answer.status == 405


async def test_the_audit_shows_the_chain(home: House) -> None:
    async with home.runtime.ground.work() as work:
        _write_two(work)
    await home.runtime.step()
    _, page = await home.get("/api/v1/audit")
    assert [row["what"] for row in page["rows"]][:2] == ["second", "first"]
    assert page["rows"][0]["seq"] == page["rows"][1]["seq"] + 1
    assert len(page["rows"][0]["hash"]) == 64


def _write_two(work: Work) -> None:
    work.audit("first")
    work.audit("second")
