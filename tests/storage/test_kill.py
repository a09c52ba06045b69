"""``kill -9`` at random points: nothing is lost, no deadline fires twice, and on each platform at most the one message
that was in flight is repeated, marked 补发.
"""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from storage.audit import verify
from storage.database import Database
from storage.models import AuditEntry, InboxRow
from tests.storage.killing import ALL_SECONDS, MESSAGES
from tests.storage.parts import MARK, debts, ground_on, rows

KILLS = 30
SEED = 20261124


def lived(folder: Path) -> list[tuple[int, str]]:
    """Each life's exit status, and the messages in doubt after it by platform."""
    command = [sys.executable, "-m", "tests.storage.killing", str(folder), str(KILLS), str(SEED)]
    with (folder / "out").open("w+b") as out, (folder / "err").open("w+b") as err:
        # Files, not pipes: a life that outlived its starter must not hold up whoever reads. The alarm ends it first.
        code = subprocess.run(command, stdout=out, stderr=err, timeout=ALL_SECONDS + 30, check=False).returncode
    words = [line.split() for line in (folder / "out").read_text("utf-8").splitlines() if line[:1].isdigit()]
    assert code == 0, f"{words[-1:]} {(folder / 'err').read_text('utf-8')[-3000:]}"
    return [(int(life[1]), life[2] if len(life) > 2 else "") for life in words]


@pytest.mark.slow
async def test_killed_dozens_of_times_it_loses_nothing_and_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    lives = lived(tmp_path)
    assert [status for status, _ in lives] == [signal.SIGKILL] * KILLS + [0]
    for _, doubts in lives:
        for doubt in filter(None, doubts.split(",")):
            assert doubt.endswith(":1:1"), "one message in flight on each platform, no more"
    assert any(doubts for _, doubts in lives), "it was really killed in mid-send"

    seen = [line.split("\t") for line in (tmp_path / "world").read_text("utf-8").splitlines()]
    said = Counter((where, told, text.removeprefix(MARK)) for _, where, told, text in seen)
    answers = {("fake", str(number % 7), f"answer {number}") for number in range(MESSAGES)}
    rungs = {f"{rung} {number}" for rung in ("due", "upper") for number in range(MESSAGES)}
    assert set(said) == answers | {(where, "boss,deputy", rung) for where in ("fake", "other") for rung in rungs}
    repeated: Counter[tuple[str, str]] = Counter()
    known: set[tuple[str, str]] = set()
    for life, where, _, text in seen:
        if (where, text.removeprefix(MARK)) in known:
            assert text.startswith(MARK)
            repeated[life, where] += 1
        known.add((where, text.removeprefix(MARK)))
    assert max(repeated.values(), default=0) <= 1, "one message repeated on each platform, no more"

    database = Database(f"sqlite:///{tmp_path}/huibao.db")
    ground = ground_on(database)
    assert len(await rows(ground, InboxRow)) == MESSAGES
    assert {(debt.state, debt.step, debt.next_at) for debt in await debts(ground)} == {("breached", 2, None)}
    fired = Counter(entry.about for entry in await rows(ground, AuditEntry) if entry.what == "fired")
    assert set(fired.values()) == {1}
    verdict = await verify(ground)
    assert (verdict.broken_seq, verdict.unsealed) == (None, 0)
    await database.close()
