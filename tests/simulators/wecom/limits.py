"""Every limit of the platform in one place, so that a test can tighten or lift any of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Limits:
    """Defaults are the documented figures; times are seconds, 0 means unlimited where a count stands."""

    # callbacks
    callback_seconds: float = 5
    verify_seconds: float = 1
    deliveries: int = 3
    retry_non_200: bool = True
    """The documents disagree: one page retries only on time-outs, another on every answer that is not 200."""
    discard_after: int = 0
    """Messages in a row that failed for good after which callbacks are discarded; 0: never."""
    in_progress: int = 3
    stream_poll_every: float = 1
    stream_poll_seconds: float = 360
    response_url_seconds: float = 3600

    # tokens
    token_seconds: float = 7200
    token_calls_per_hour: int = 300

    # sending by the app
    text_bytes: int = 2048
    users_per_call: int = 1000
    member_per_minute: int = 30
    member_per_hour: int = 1000
    daily_recipients: int = 0
    group_member_per_minute: int = 200
    group_member_per_day: int = 10_000
    group_recipients_per_minute: int = 20_000
    duplicate_seconds: float = 1800
    response_code_seconds: float = 72 * 3600
    recall_seconds: float = 24 * 3600
    calls_per_minute: int = 10_000

    # group robots
    webhook_per_minute: int = 20
    webhook_block_seconds: float = 60
    webhook_text_bytes: int = 2048
    webhook_markdown_bytes: int = 4096
    webhook_image_bytes: int = 2 * 1024 * 1024
    file_bytes: int = 20 * 1024 * 1024
    media_seconds: float = 3 * 24 * 3600

    # intelligent robot
    close_kicked_after: float = 2.2
    """Measured: 2.2 s once, 313 s another time; the kicked connection is half alive meanwhile."""
    subscribes_per_minute: int = 10
    stream_bytes: int = 20_480
    stream_seconds: float = 360
    """6 minutes in older documents, 10 in the page of 2026."""
    answer_seconds: float = 5
    reply_seconds: float = 24 * 3600
    conversation_per_minute: int = 30
    conversation_per_hour: int = 1000
    over_quota: int = 45009
    """The code is not documented."""
    push_refused: int = 93006
    """Neither is the one for a push into a conversation that has never spoken."""
    uploads_per_minute: int = 30
    upload_seconds: float = 1800
    chunk_bytes: int = 512 * 1024
    chunks: int = 100
    media_url_seconds: float = 300
