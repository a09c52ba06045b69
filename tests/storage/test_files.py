"""Attachments are kept once, whole, within limits; names never become paths."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import select

from storage.database import Database
from storage.files import FileStore, TooLargeError, remember, safe_name
from storage.models import StoredFile
from tests.storage.parts import ground_on


def kept(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


async def stream(*chunks: bytes, broken: bool = False) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if broken:
        raise ConnectionResetError


async def test_content_is_kept_under_its_hash(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files")
    sha256, size = await store.save(stream(b"red ", b"light"))
    assert (sha256, size) == (hashlib.sha256(b"red light").hexdigest(), 9)
    assert store.path(sha256).read_bytes() == b"red light"


async def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert await store.save(b"photo") == await store.save(stream(b"pho", b"to"))
    assert len(kept(tmp_path)) == 1


async def test_too_large_leaves_nothing(tmp_path: Path) -> None:
    store = FileStore(tmp_path, limit=10)
    with pytest.raises(TooLargeError):
        await store.save(stream(b"123456", b"123456"))
    assert kept(tmp_path) == []
    await store.save(b"1234567890")


async def test_a_broken_download_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        await FileStore(tmp_path).save(stream(b"half", broken=True))
    assert kept(tmp_path) == []


@pytest.mark.parametrize("asked", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 64 + "/x"])
def test_only_hashes_are_paths(tmp_path: Path, asked: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        FileStore(tmp_path).path(asked)


def test_what_is_not_kept_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileStore(tmp_path).path("a" * 64)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("光路红灯.jpg", "光路红灯.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\照片.png", "照片.png"),
        ("a\x00b\nc.jpg", "a_b_c.jpg"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("", "file"),
        ("...", "file"),
        ("CON.txt", "_CON.txt"),
        ("很" * 300 + ".jpeg", "很" * 95 + ".jpeg"),
        ("x" * 300, "x" * 100),
    ],
)
def test_names_are_safe_to_show(given: str, shown: str) -> None:
    assert safe_name(given) == shown


async def test_the_row_of_a_file_is_written_once(database: Database, tmp_path: Path) -> None:
    ground, store = ground_on(database), FileStore(tmp_path)
    for name in ("first.jpg", "second.jpg"):
        sha256, size = await store.save(b"photo")
        async with ground.work() as work:
            await remember(work, sha256, size, name, "image/jpeg")
    async with database.read() as session:
        [row] = (await session.exec(select(StoredFile))).all()
    assert (row.name, row.size, row.media_type) == ("first.jpg", 5, "image/jpeg")
