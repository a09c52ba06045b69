"""The part of the configuration that says how long who has, and when people work, rest and sleep."""

from datetime import date, time, timedelta

from pydantic import Field

from storage.settings_values import Duration, Hours, Period, Section, parse_hours


class AckPolicy(Section):
    """A ladder that hangs on ``within``; see the contract. Zero repeats: the last step is said once."""

    within: Period = timedelta(minutes=10)
    remind_before: Duration = timedelta(minutes=3)
    """Not shorter than ``within`` itself: three tenths of it instead."""
    upper_after: Duration = timedelta(minutes=5)
    group_after: Duration = timedelta(minutes=10)
    repeat_every: Period = timedelta(minutes=30)
    repeat_times: int = Field(default=3, ge=0, le=100)


class EmailAckPolicy(AckPolicy):
    """The same ladder for units that have mail alone; ``within`` is working time."""

    within: Period = timedelta(hours=2)
    remind_before: Duration = timedelta(minutes=30)


class ArrivalPolicy(Section):
    """Be there this long before the start."""

    before_start: Duration = timedelta(minutes=60)


class OnsitePolicy(Section):
    """Be where the fault is, travel included, this long after the report; unset: what the service profile says."""

    within: Period | None = None


class ChecklistPolicy(Section):
    """Checks are answered this long before the start."""

    before_start: Duration = timedelta(minutes=30)


class Policies(Section):
    """How long who has; ``within`` alone moves a whole ladder."""

    notice_ack: AckPolicy = AckPolicy()
    email_ack: EmailAckPolicy = EmailAckPolicy()
    fault_ack: AckPolicy = AckPolicy()
    arrival: ArrivalPolicy = ArrivalPolicy()
    onsite: OnsitePolicy = OnsitePolicy()
    checklist: ChecklistPolicy = ChecklistPolicy()


class CalendarSettings(Section):
    """Office hours, hours in which routine words wait, and night and noon (``workflows/manners.py``)."""

    office_hours: Hours = parse_hours("09:00-12:00,13:30-17:30")
    unit_hours: dict[str, Hours] = Field(default_factory=dict)
    """Hours of single units, by unit_id; they hold for the units below too."""
    days_off: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()
    """Days on which the public calendar is wrong for us, or not known yet."""
    quiet_hours: Hours = ()
    night: Hours = parse_hours("22:00-07:00")
    """Groups sleep, people hear what cannot wait; empty: there is no night."""
    morning: time = time(7, 30)
    """When what waited for the end of the night is said; no earlier than its end."""
    noon: Hours = parse_hours("12:00-14:00")
    """What can wait does; empty: there is no noon."""
