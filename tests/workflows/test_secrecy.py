"""Papers with a mark of secrecy are refused, and nothing of them is kept."""

import json
from pathlib import Path

import pytest

from storage.messages import Attachment
from storage.models import AuditEntry, InboxRow, Meeting
from tests.scenario import scenario

MARKED = [
    "机密★1年 关于召开全省防汛视频会商的通知，明天上午9点半，各市县参加",
    "【秘密】明天上午9点半全省防汛视频会商，各市县参加",
    "秘密★ 明天上午9点半全省防汛视频会商，各市县参加",
    "密级：秘密。明天上午9点半全省防汛视频会商，各市县参加",
    "这份文件是绝密，先发给你看看",
]


@pytest.mark.parametrize("text", MARKED)
async def test_a_marked_text_is_refused_and_not_kept(tmp_path: Path, text: str) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", text)
        bot.expect("chen", "密级标志", "没有保存")
        bot.nothing_more()
        assert await bot.rows(Meeting) == []
        stored = [row.payload for row in await bot.rows(InboxRow)]
        entries = [row.detail for row in await bot.rows(AuditEntry)]
        kept = json.dumps([stored, entries], ensure_ascii=False)
        assert "防汛" not in kept
        assert "文件" not in kept


async def test_a_marked_file_and_a_quoted_text_are_refused_too(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("chen", "请看", attachments=[Attachment(kind="file", ref="r1", name="机密文件.docx")])
        await bot.say("chen", "这个怎么办", quote=MARKED[0])
        assert len(bot.unread("chen")) == 2
        kept = json.dumps([row.payload for row in await bot.rows(InboxRow)], ensure_ascii=False)
        assert "机密" not in kept
        assert "防汛" not in kept


async def test_the_word_in_talk_is_no_mark(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("li", "这是个秘密，哈哈", group="临河县保障群")
        bot.nothing_more()
