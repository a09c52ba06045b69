"""A client as small as the protocol allows, to test the simulator with: one socket, raw frames."""

import json
from typing import Any
from urllib.parse import quote_plus

import aiohttp

from tests.dingtalk.conftest import CLIENT_ID, CLIENT_SECRET
from tests.simulators.dingtalk import DingTalkSimulator

ROBOT_TOPIC = "/v1.0/im/bot/messages/get"
CARD_TOPIC = "/v1.0/card/instances/callback"
Json = dict[str, Any]


def registration(**changes: object) -> Json:
    topics = [{"type": "CALLBACK", "topic": ROBOT_TOPIC}, {"type": "CALLBACK", "topic": CARD_TOPIC}]
    topics.append({"type": "EVENT", "topic": "*"})
    return {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "subscriptions": topics, **changes}


async def open_stream(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> aiohttp.ClientWebSocketResponse:
    answer = await post(http, f"{simulator.base_url}/v1.0/gateway/connections/open", registration())
    return await http.ws_connect(f"{answer['endpoint']}?ticket={quote_plus(answer['ticket'])}")


async def post(http: aiohttp.ClientSession, url: str, body: object, token: str = "") -> Json:
    """POST JSON; the answer with its HTTP status under `status`."""
    headers = {"Accept": "application/json", "x-acs-dingtalk-access-token": token}
    async with http.post(url, json=body, headers=headers) as response:
        return {"status": response.status, **await response.json()}


async def token(http: aiohttp.ClientSession, simulator: DingTalkSimulator) -> str:
    body = {"appKey": CLIENT_ID, "appSecret": CLIENT_SECRET}
    answer = await post(http, f"{simulator.base_url}/v1.0/oauth2/accessToken", body)
    return str(answer["accessToken"])


async def call(http: aiohttp.ClientSession, simulator: DingTalkSimulator, api: str, **body: object) -> Json:
    """One authorised POST to the new API, robotCode filled in."""
    full = {"robotCode": CLIENT_ID, **body}
    return await post(http, f"{simulator.base_url}/v1.0/{api}", full, await token(http, simulator))


async def receive(socket: aiohttp.ClientWebSocketResponse) -> Json:
    frame: Json = json.loads(await socket.receive_str(timeout=10))
    return frame


async def acknowledge(socket: aiohttp.ClientWebSocketResponse, frame: Json, data: object, code: int = 200) -> None:
    headers = {"contentType": "application/json", "messageId": frame["headers"]["messageId"]}
    await socket.send_str(json.dumps({"code": code, "headers": headers, "message": "OK", "data": json.dumps(data)}))
