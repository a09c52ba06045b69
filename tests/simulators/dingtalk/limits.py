"""Every limit of the platform in one place, so that a test can tighten or lift any of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Limits:
    """Defaults are the documented figures; times are seconds, 0 means unlimited where a count stands."""

    # stream gateway
    ticket_seconds: float = 90
    ping_every: float = 25
    disconnect_grace: float = 10
    connection_lifetime: float | None = None
    greetings: tuple[str, ...] = ()
    require_json_accept: bool = True

    # pushes
    redeliver_callbacks_after: float | None = None
    """None: robot messages are fire-and-forget, as documented; 15–60 s as seen in the field."""
    redeliver_at_most: int = 3
    redeliver_events_after: float = 3
    ghost_seconds: float = 0
    """How long a connection that died without a word still gets its share of the pushes."""

    # replies
    session_seconds: float = 5400
    webhook_bytes: int = 20_000
    msg_param_bytes: int = 15_000
    users_per_call: int = 20
    keys_per_recall: int = 20
    recall_seconds: float = 24 * 3600
    read_status_seconds: float = 24 * 3600
    key_ready_after: float = 1.0
    mentions_per_message: int = 50

    # tokens
    token_seconds: float = 7200
    token_calls_per_minute: int = 100

    # throttles
    api_calls_per_second: int = 20
    webhook_per_minute: int = 20
    webhook_block_seconds: float = 600
    ip_calls: int = 10_000
    ip_window_seconds: float = 20
    ip_block_seconds: float = 300
    monthly_api: int = 5000
    monthly_push: int = 3000

    # custom robots
    sign_skew_seconds: float = 3600
    legacy_codes: bool = False
    """Old deployments: 130101 instead of 410100, 300001 instead of 400101."""
    localized: bool = False
    """Newer deployments word the refusals in Chinese; the errcode stays."""

    # cards
    card_deadline: float = 2.0
    card_key_bytes: int = 100
    card_value_bytes: int = 1024

    # DING
    ding_edition: bool = True
    ding_receivers: tuple[int, int, int] = (200, 20, 20)
    ding_quota: tuple[int | None, int | None, int | None] = (None, 100, 100)

    # files
    download_url_seconds: float = 600
    image_bytes: int = 20 * 1024 * 1024
    voice_bytes: int = 2 * 1024 * 1024
    file_bytes: int = 20 * 1024 * 1024
