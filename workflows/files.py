"""Files that people attach, and the rows that show them: by SHA-256 once they are kept, until then by reference.

A row that shows a file is named by a place: its kind and its key. When the fetcher has brought the file, every place it
was claimed for learns its SHA-256.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from sqlmodel import col, select

from storage.fetches import Fetch
from storage.messages import Incoming
from storage.models import CheckItem, Fault
from storage.work import Work

Known = Mapping[str, str]
"""SHA-256 by reference."""


def names_of(incoming: Incoming) -> list[str]:
    """Names under which what is attached is known: SHA-256, else what it is fetched by."""
    return [one.sha256 or one.ref or one.name for one in incoming.attachments]


async def show_in_check(work: Work, item: CheckItem, names: Sequence[str]) -> None:
    """The step of a checklist keeps these files as evidence."""
    known = await _claim(work, names, ["check", item.meeting, item.site_id, item.step])
    item.evidence = _merged([*item.evidence, *names], known)
    work.session.add(item)


async def show_in_fault(work: Work, fault: Fault, names: Sequence[str]) -> None:
    """The fault keeps these files (``extra["files"]``)."""
    if names:
        known = await _claim(work, names, ["fault", fault.number])
        fault.extra = {**fault.extra, "files": _merged([*fault.extra.get("files", ()), *names], known)}
        work.session.add(fault)


async def arrived(work: Work, fetch: Fetch) -> None:
    """A file is kept: the rows that were to show it refer to it by its content."""
    for kind, *key in fetch.places:
        if kind in _SHOW:
            await _SHOW[kind](work, key, {fetch.ref: fetch.sha256})


async def _claim(work: Work, names: Sequence[str], place: list[str]) -> Known:
    """What is kept already of these; for the rest the place is noted with the fetch."""
    if not names:
        return {}
    query = select(Fetch).where(col(Fetch.ref).in_(names)).with_for_update()
    known = {}
    for fetch in (await work.session.exec(query)).all():
        if fetch.state == "stored":
            known[fetch.ref] = fetch.sha256
        else:
            fetch.claim(place, work.now)
            work.session.add(fetch)
    return known


async def _in_check(work: Work, key: Sequence[str], known: Known) -> None:
    item = await work.session.get(CheckItem, tuple(key), with_for_update=True)
    if item is not None:
        item.evidence = _merged(item.evidence, known)
        work.session.add(item)


async def _in_fault(work: Work, key: Sequence[str], known: Known) -> None:
    fault = await work.session.get(Fault, key[0], with_for_update=True)
    if fault is not None:
        fault.extra = {**fault.extra, "files": _merged(fault.extra.get("files", ()), known)}
        work.session.add(fault)


_SHOW: Mapping[str, Callable[[Work, Sequence[str], Known], Awaitable[None]]] = {"check": _in_check, "fault": _in_fault}


def _merged(names: Iterable[str], known: Known) -> list[str]:
    return list(dict.fromkeys(known.get(name, name) for name in names))
