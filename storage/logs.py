"""Logs: one JSON line per event on standard error, phone numbers masked, secrets never there.

Secrets are :class:`pydantic.SecretStr` in the settings and so print as stars; this module masks what could slip through
in free text: mobile numbers, and ``access_token=``-like query values of URLs in error messages.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
QUERY_SECRET = re.compile(r"((?:access_token|ticket|session|sign|key|secret|token)=)[^&\s\"']+", re.IGNORECASE)


def mask(text: str) -> str:
    """``13912345678`` becomes ``139****5678``; secrets in URLs become ``***``."""
    return QUERY_SECRET.sub(r"\1***", PHONE.sub(r"\1****\2", text))


def configure_logs(level: str = "INFO") -> None:
    """Set up structlog and send the standard library's warnings and errors the same way."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _mask_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_MaskingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _mask_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = mask(value)
    return event


class _MaskingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))
