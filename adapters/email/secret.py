"""The secret that signs Message-IDs and links: configured, or made once per data directory for the bot alone."""

import hashlib
import os
import secrets
from pathlib import Path

NAME = "mail.key"
LENGTH = 32


def load_secret(folder: Path, given: str = "") -> bytes:
    """The secret of this installation: ``given``, else made at the first start with mode 0600 (OSError when it cannot
    be kept)."""
    if given:
        return hashlib.sha256(given.encode()).digest()
    file = folder / NAME
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(file)
    secret = bytes.fromhex(file.read_text("ascii").strip())
    if len(secret) < LENGTH:
        raise OSError(f"{NAME} is damaged: delete it and start again (links in mails sent before become invalid)")
    return secret


def _make(file: Path) -> None:
    """Written aside and linked into place, so that of two processes that start together one wins whole."""
    aside = file.with_name(f".{NAME}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(secrets.token_hex(LENGTH))
        out.flush()
        os.fsync(out.fileno())
    try:
        file.hardlink_to(aside)
    except FileExistsError:
        return
    finally:
        aside.unlink(missing_ok=True)
