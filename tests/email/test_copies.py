"""A mail that comes twice is kept once: its copy goes, and taking the same one again after a crash loses nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.email.letter import read_letter
from storage.letters import mail_store
from tests.email.house import House, house
from tests.email.letters import mail

RAW = mail("青山县会场没有声音", subject="故障")


async def take(bot: House, raw: bytes) -> str:
    """Keep and take a mail as the mailbox does; the name of its raw bytes."""
    sha256, _ = await mail_store(bot.ground.settings).save(raw)
    await bot.adapter.take(replace(read_letter(raw), source=sha256))
    await bot.settle()
    return sha256


async def test_of_two_copies_the_first_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        store = mail_store(bot.ground.settings)
        first = await take(bot, RAW)
        second = await take(bot, b"Received: by another way\r\n" + RAW)
        assert first != second
        assert await store.load(first) == RAW
        with pytest.raises(FileNotFoundError):
            await store.load(second)


async def test_the_same_mail_taken_again_stays(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        first = await take(bot, RAW)
        assert await take(bot, RAW) == first
        assert await mail_store(bot.ground.settings).load(first) == RAW


async def test_no_copy_of_a_secret_paper_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as bot:
        secret = mail("机密★一年\n关于召开会议的通知", subject="通知")
        await take(bot, secret)
        await take(bot, b"Received: by another way\r\n" + secret)
        await take(bot, secret)
        assert [path for path in (tmp_path / "data" / "mail").rglob("*") if path.is_file()] == []
