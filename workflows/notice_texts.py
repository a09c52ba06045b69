"""The words of a notice, a change and a cancellation: one text per conversation.

Private copies are word for word the same for everybody, so that a platform may carry twenty of them in one call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.messages import Action, Outgoing, Urgency
from storage.models import Group, Meeting, Notice
from storage.work import Work
from workflows import manners, meeting_clock, worktime
from workflows.meeting_details import in_words
from workflows.meeting_plan import Plan, tested_at
from workflows.phrases import clock, full_clock, joined
from workflows.words import Words

WORDS = Words("notice")
NAMES = Words("meeting")
VERBS = {"received": "ack", "trouble": "trouble"}


@dataclass(frozen=True)
class Letterhead:
    """What every text about one version of a meeting has in common."""

    meeting: Meeting
    notice: Notice
    due_at: datetime
    fields: dict[str, str]
    test: str = ""
    """When the joint test is, while it is still to come."""

    @classmethod
    def of(cls, work: Work, meeting: Meeting, notice: Notice) -> "Letterhead":
        """The common words, made once per slice."""
        due_at = notice.published_at + work.settings.policy.notice_ack.within
        test = _test(work, meeting)
        fields = {
            "number": meeting.number,
            "title": meeting.title,
            "systems": systems(meeting.systems),
            "start": full_clock(work, meeting.starts_at),
            "arrive": on_the_day(work, arrival_due(work, meeting, notice.published_at), meeting.starts_at),
            "scope": meeting.scope_text,
            "test": WORDS("test", test=test) if test else "",
            "venue": _venue(work, meeting),
            "basis": _contact(meeting) + (WORDS("basis", basis=meeting.basis) if meeting.basis else ""),
            "due": clock(work, due_at),
            "lines": NAMES.get("semicolon").join(notice.changes.get("lines", ())),
        }
        unmoved = not notice.unit_ids and meeting.starts_at <= notice.published_at
        fields["now"] = WORDS("now_running" if unmoved else "now", start=fields["start"], arrive=fields["arrive"])
        return cls(meeting, notice, due_at, fields, test)

    def to_group(self, work: Work, group: Group, names: Sequence[str]) -> Outgoing:
        """The text for a group; ``names`` are the units asked to answer there, none for a copy."""
        key = "ask_cancel" if self.notice.kind == "cancel" else "ask"
        ask = WORDS(key, units=joined(names, 20), due=self.fields["due"]) if names else ""
        text = WORDS(f"group_{self.notice.kind}", ask=ask, **self.fields)
        return self._message(
            text if names else WORDS("copy") + text,
            answerable=bool(names),
            mention_all=bool(names) and group.purpose == "support" and not manners.groups_sleep(work),
        )

    def to_person(self, template: str, due: str = "") -> Outgoing:
        """The text for everybody who answers for a unit; ``template``: new, change, cancel or removed. ``due``: by
        when, where that is another time than for most."""
        fields = {**self.fields, "due": due} if due else self.fields
        message = self._message(WORDS(f"person_{template}", **fields), answerable=True)
        return message.model_copy(update={"facts": self._facts(fields)})

    def to_reader(self) -> Outgoing:
        """The text for somebody who is informed and owes nothing."""
        text = WORDS("copy") + WORDS(f"group_{self.notice.kind}", ask="", **self.fields)
        facts = self._facts({**self.fields, "due": ""})
        return self._message(text, answerable=False).model_copy(update={"facts": facts})

    def _facts(self, fields: dict[str, str]) -> tuple[tuple[str, str], ...]:
        """The notice as a table, for mail."""
        extra = {"basis": self.meeting.basis, "contact": self.meeting.extra.get("contact", ""), "test": self.test}
        labels: dict[str, str] = WORDS.get(f"facts.{'cancel' if self.notice.kind == 'cancel' else 'new'}")
        said = {**fields, **extra}
        return tuple((label, str(said[name])) for name, label in labels.items() if said.get(name))

    def _message(self, text: str, *, answerable: bool, mention_all: bool = False) -> Outgoing:
        number = self.meeting.number
        verbs = ("received",) if self.notice.kind == "cancel" else ("received", "trouble")
        buttons = [Action(label=WORDS(one), value=f"{VERBS[one]}:{number}", say=WORDS(one)) for one in verbs]
        return Outgoing(
            text=text,
            title=self.meeting.title,
            about=number,
            urgency=Urgency.NOTICE,
            mention_all=mention_all,
            actions=tuple(buttons) if answerable else (),
        )


def _test(work: Work, meeting: Meeting) -> str:
    test = tested_at(meeting)
    return full_clock(work, test) if test and test > work.now else ""


def _venue(work: Work, meeting: Meeting) -> str:
    venue = in_words(work.org, Plan.of(meeting).venues)
    return WORDS("venue", venue=venue) if venue else ""


def _contact(meeting: Meeting) -> str:
    contact = meeting.extra.get("contact")
    return WORDS("contact", contact=contact) if contact else ""


def by_mail_within(work: Work, unit_id: str, published_at: datetime) -> datetime:
    """By when a unit answers that only mail reaches: two hours of its working time."""
    return worktime.after(work, unit_id, published_at, work.settings.policy.email_ack.within)


def arrival_due(work: Work, meeting: Meeting, published_at: datetime) -> datetime:
    """By when people are to be on site, with the time for the answer kept free when the notice comes late."""
    within = work.settings.policy.notice_ack.within
    return meeting_clock.at_least(meeting_clock.arrive_at(meeting), meeting, published_at, within)


def check_due(work: Work, meeting: Meeting, published_at: datetime) -> datetime:
    """By when the checks are to be answered; likewise, and never before the arrival."""
    due = meeting.starts_at - work.settings.policy.checklist.before_start
    return max(due, arrival_due(work, meeting, published_at))


def systems(codes: Sequence[str]) -> str:
    """``（水利系统）`` or nothing."""
    names = [str(NAMES.get("systems").get(code, code)) for code in codes if code != "other"]
    return WORDS("systems", names=joined(names)) if names else ""


def on_the_day(work: Work, moment: datetime, day: datetime) -> str:
    """``8:30`` when it falls on the local day of ``day``, else with its date."""
    local = work.local(moment)
    same = local.date() == work.local(day).date()
    return f"{local.hour}:{local.minute:02d}" if same else full_clock(work, moment)
