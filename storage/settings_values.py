"""What values of the configuration look like: durations, hours of the day, and the base of every section."""

import re
from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(value: object) -> timedelta:
    """``"10m"``, ``"1.5s"``, ``"1h30m"`` or a timedelta; ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip()
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise ValueError(f'{text!r} is not a duration such as "90s", "10m" or "2h"')
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def parse_hours(value: object) -> tuple[tuple[time, time], ...]:
    """``"09:00-12:00,13:30-17:30"`` as pairs of times; empty text: no hours."""
    if isinstance(value, tuple):
        return value
    spans = [part.split("-") for part in str(value).split(",") if part.strip()]
    try:
        return tuple((time.fromisoformat(start.strip()), time.fromisoformat(end.strip())) for start, end in spans)
    except ValueError as error:
        raise ValueError(f'{value!r} is not a list of hours such as "09:00-12:00,13:30-17:30"') from error


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise ValueError("must be longer than nothing")
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Hours = Annotated[tuple[tuple[time, time], ...], BeforeValidator(parse_hours)]
Period = Annotated[Duration, AfterValidator(_positive)]


class Section(BaseModel):
    """Base of every section: frozen, unknown names refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
