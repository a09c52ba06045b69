"""Recalling what was sent and asking who has read it. ``provider_id`` is what :class:`Sent` carried."""

from datetime import timedelta

from adapters.dingtalk.client import Client, Json
from storage.messages import Address, Urgency
from storage.ports import Refused, Retry

KEY_SEPARATOR = "|"
NOT_READY = timedelta(seconds=5)
MOST_PAGES = 10
SELDOM = Urgency.ROUTINE
"""Who has read what is no longer asked when the month's calls run low."""


async def recall(client: Client, address: Address, provider_id: str) -> bool:
    """Take a message back, silently; True when it is gone everywhere. What went by a webhook cannot be recalled."""
    keys = provider_id.split(KEY_SEPARATOR) if provider_id else []
    if not keys:
        return False
    body: Json = {"robotCode": client.robot_code, "processQueryKeys": keys[:20]}
    if address.kind == "group":
        path = "/v1.0/robot/groupMessages/recall"
        body["openConversationId"] = address.id
    else:
        path = "/v1.0/robot/otoMessages/batchRecall"  # lower case here, and only here
    answer = await client.api("POST", path, body)
    return len(answer.get("successResult") or []) == len(keys)


async def readers(client: Client, address: Address, provider_id: str) -> frozenset[str]:
    """Accounts that have read a message. Retry when the platform does not know yet."""
    if not provider_id:
        return frozenset()
    key = provider_id.rsplit(KEY_SEPARATOR, maxsplit=1)[-1]
    try:
        if address.kind == "group":
            return await _group_readers(client, address, key)
        return await _direct_readers(client, key)
    except Refused as error:
        if "processQueryKey.expireTime" in error.reason:
            raise Retry(error.reason, client.clock.now() + NOT_READY) from error
        raise


async def _group_readers(client: Client, address: Address, key: str) -> frozenset[str]:
    body: Json = {"robotCode": client.robot_code, "openConversationId": address.id, "processQueryKey": key}
    found: set[str] = set()
    for _ in range(MOST_PAGES):
        page: Json = {**body, "maxResults": 200}
        answer = await client.api("POST", "/v1.0/robot/groupMessages/query", page, urgency=SELDOM, optional=True)
        found.update(str(user) for user in answer.get("readUserIds") or [])
        if not answer.get("hasMore") or not answer.get("nextToken"):
            break
        body["nextToken"] = answer["nextToken"]
    return frozenset(found)


async def _direct_readers(client: Client, key: str) -> frozenset[str]:
    query = {"robotCode": client.robot_code, "processQueryKey": key}
    path = "/v1.0/robot/oToMessages/readStatus"
    answer = await client.api("GET", path, query=query, urgency=SELDOM, optional=True)
    infos = answer.get("messageReadInfoList") or []
    return frozenset(str(info.get("userId")) for info in infos if info.get("readStatus") == "READ")
