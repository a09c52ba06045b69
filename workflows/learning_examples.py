"""What was taught and accepted, as lines of the operator's regression examples (words/examples.jsonl)."""

import json
from pathlib import Path
from typing import Any

from intents.compare import NAME
from storage.directory import Directory
from storage.learning import WordProposal

_ABOUT = ("role", "chat", "now", "expecting", "step")


def line_of(org: Directory, row: WordProposal) -> str:
    """A name with the site it must lead to; a sentence with what it should mean, or must not be taken for."""
    if row.kind == "alias":
        site = org.sites.get(row.site_id)
        told: dict[str, Any] = {"now": row.proposed_at.isoformat(), "site": site.name if site else row.site_id}
    else:
        told = {name: row.detail[name] for name in _ABOUT if row.detail.get(name)}
        wanted = row.detail.get("wanted")
        told |= {"intent": wanted} if wanted else {"not": row.detail["intent"]}
    return json.dumps({"text": row.text, **told}, ensure_ascii=False)


def keep(folder: Path, line: str) -> None:
    """Append a line; one that is there stays the only one. Other lines are left as they are. OSError: not written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    there = path.read_bytes() if path.exists() else b""
    wanted = line.encode()
    if wanted not in there.splitlines():
        with path.open("ab") as file:
            file.write((b"" if there.endswith(b"\n") or not there else b"\n") + wanted + b"\n")


def drop(folder: Path, line: str) -> None:
    """Take a line out again. OSError: not written."""
    path = folder / NAME
    there = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    kept = [one for one in there if one.strip() != line.encode()]
    if kept != there:
        path.write_bytes(b"".join(kept))
