"""``kill -9`` at random points: nothing is lost, no deadline fires twice, and at most one message per kill is repeated,
marked 补发.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from storage.audit import verify
from storage.database import Database
from storage.models import AuditEntry, InboxRow
from tests.storage.killing import MESSAGES
from tests.storage.parts import MARK, debts, ground_on, rows

KILLS = 24
SEED = 20261124


@pytest.mark.slow
async def test_killed_dozens_of_times_it_loses_nothing_and_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.storage.killing", str(tmp_path), str(KILLS), str(SEED)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)  # noqa: ASYNC221 - nothing else runs
    assert done.returncode == 0, done.stderr
    statuses = [line.split()[1] for line in done.stdout.splitlines() if line[:1].isdigit() and len(line.split()) == 2]
    assert statuses[-1] == "0", done.stdout[-3000:] + done.stderr[-3000:]
    assert statuses.count("9") >= 24, "it was really killed in mid-life"

    seen = [line.split("\t") for line in (tmp_path / "world").read_text("utf-8").splitlines()]
    words = Counter(text.removeprefix(MARK) for _, text in seen)
    assert set(words) == {f"{what} {number}" for what in ("answer", "due", "upper") for number in range(MESSAGES)}
    assert not [text for text, count in Counter(text for _, text in seen).items() if count > 1 and MARK not in text]
    repeated_in: Counter[str] = Counter()
    known: set[str] = set()
    for life, text in seen:
        if text.removeprefix(MARK) in known:
            assert text.startswith(MARK)
            repeated_in[life] += 1
        known.add(text.removeprefix(MARK))
    assert max(repeated_in.values(), default=0) <= 1, "one message in flight, no more"

    database = Database(f"sqlite:///{tmp_path}/huibao.db")
    ground = ground_on(database)
    assert len(await rows(ground, InboxRow)) == MESSAGES
    assert {(debt.state, debt.step, debt.next_at) for debt in await debts(ground)} == {("breached", 2, None)}
    fired = Counter(entry.about for entry in await rows(ground, AuditEntry) if entry.what == "fired")
    assert set(fired.values()) == {1}
    verdict = await verify(ground)
    assert (verdict.broken_seq, verdict.unsealed) == (None, 0)
    await database.close()
