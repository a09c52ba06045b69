"""The file store: attachments by SHA-256 under the data directory, each kept once.

A file is written beside its place, made durable and moved there, so that a crash leaves no half file. Names that people
give are kept for showing only; they never become paths.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import IO

from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from storage.models import StoredFile
from storage.settings import Settings
from storage.work import Work

LIMIT = 20 * 1024 * 1024
"""Bytes of one attachment; more than any platform's picture, enough for a short video."""
LONGEST_NAME = 100
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


class TooLargeError(ValueError):
    """The attachment has more bytes than are kept."""


def safe_name(name: str) -> str:
    """A name to show and to offer for download: no path, no control or direction characters, not too long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(char for char in last if unicodedata.category(char) not in ("Cf", "Cs", "Co"))
    kept = _UNSAFE.sub("_", kept).strip(" .")
    if _RESERVED.match(kept):
        kept = f"_{kept}"
    stem, dot, suffix = kept.rpartition(".")
    if dot and len(suffix) <= 10:
        return f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}"
    return kept[:LONGEST_NAME] or "file"


class FileStore:
    """Files under ``root``. Reading and writing happen in a thread."""

    def __init__(self, root: Path, limit: int = LIMIT) -> None:
        self._root = root
        self.limit = limit

    async def save(self, data: bytes | AsyncIterable[bytes]) -> tuple[str, int]:
        """Keep the content; its SHA-256 (hex) and size in bytes. TooLargeError beyond the limit: nothing is kept."""
        chunks = _single(data) if isinstance(data, bytes) else data
        target = await asyncio.to_thread(self._begin)
        try:
            digest, size = hashlib.sha256(), 0
            async for chunk in chunks:
                size += len(chunk)
                if size > self.limit:
                    raise TooLargeError(f"more than {self.limit} bytes")
                digest.update(chunk)
                await asyncio.to_thread(target.write, chunk)
            await asyncio.to_thread(self._finish, target, digest.hexdigest())
        finally:
            await asyncio.to_thread(_discard, target)
        return digest.hexdigest(), size

    async def load(self, sha256: str) -> bytes:
        """The content; errors as of :meth:`path`."""
        return await asyncio.to_thread(self.path(sha256).read_bytes)

    async def forget(self, sha256: str) -> None:
        """Keep the content no longer; what is not kept is forgotten already."""
        await asyncio.to_thread(self._place(sha256).unlink, missing_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the content is; ValueError for what is no SHA-256, FileNotFoundError for what is not kept."""
        place = self._place(sha256)
        if not place.is_file():
            raise FileNotFoundError(sha256)
        return place

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError("not a SHA-256 in lower-case hexadecimal digits")
        return self._root / sha256[:2] / sha256

    def _begin(self) -> IO[bytes]:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return tempfile.NamedTemporaryFile(dir=self._root, prefix=".new-", delete=False)

    def _finish(self, file: IO[bytes], sha256: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        place = self._place(sha256)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        Path(file.name).replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def file_store(settings: Settings) -> FileStore:
    """The store of an installation: ``files`` in its data directory."""
    return FileStore(settings.data_path / "files")


async def remember(work: Work, sha256: str, size: int, name: str, media_type: str = "") -> StoredFile:
    """The row of a kept file; the first name it came with stays."""
    row = StoredFile(sha256=sha256, name=safe_name(name), size=size, media_type=media_type[:100], stored_at=work.now)
    insert = insert_sqlite if work.session.get_bind().dialect.name == "sqlite" else insert_postgresql
    await work.session.exec(insert(StoredFile).values(row.model_dump()).on_conflict_do_nothing())
    return await work.session.get_one(StoredFile, sha256)


async def _single(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _discard(file: IO[bytes]) -> None:
    file.close()
    Path(file.name).unlink(missing_ok=True)
