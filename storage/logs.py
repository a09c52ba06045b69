"""Logs: JSON lines, phone numbers masked, secrets never there.

The whole story goes to ``logs/huibao.log`` in the data directory (rotated); standard error gets the same lines without
stack traces, so that nobody at a terminal reads one. Secrets are :class:`pydantic.SecretStr` in the settings and so
print as stars; this module masks what could slip through in free text: mobile numbers, and secrets in URLs of errors.
"""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
QUERY_SECRET = re.compile(r"((?:access_token|ticket|session|sign|key|secret|token)=)[^&\s\"']+", re.IGNORECASE)
FILE_BYTES, FILES_KEPT = 10_000_000, 5


def mask(text: str) -> str:
    """``13912345678`` becomes ``139****5678``; secrets in URLs become ``***``."""
    return QUERY_SECRET.sub(r"\1***", PHONE.sub(r"\1****\2", text))


def configure_logs(folder: Path | None = None) -> None:
    """Set up structlog and the standard library's warnings. ``folder``: where the log file goes (none: no file)."""
    file = _file_log(folder) if folder is not None else None

    def keep(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if file is not None:
            file.info(json.dumps(event, ensure_ascii=False, default=str))
        event.pop("exception", None)
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _mask_event,
            keep,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _file_log(folder: Path) -> logging.Logger:
    folder.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("huibao.file")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.handlers = [
        RotatingFileHandler(folder / "huibao.log", maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
    ]
    return logger


def _mask_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = mask(value)
    return event


class _OneLine(logging.Formatter):
    """The message, masked, without its stack trace."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_info = record.exc_text = None
        return mask(super().format(record))
