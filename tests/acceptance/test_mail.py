"""``bot.py serve`` with nothing but ``[email]``: an operator's mailbox, real servers, kill and restart."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from storage.organisation.sample import SAMPLE
from tests import papers
from tests.acceptance.process import TOKEN, Served, command, free_port
from tests.email.letters import BOT
from tests.email.life import TRUSTED, letter
from tests.simulators.dingtalk import DingTalkSimulator
from tests.simulators.email.imap import PASSWORD, USER, ImapServer, imap_server
from tests.simulators.email.smtp import Mail, SmtpServer, smtp_server

CONFIG = """
data_dir = "data"
[web]
port = {port}
api_token = "{token}"
public_url = "https://huibao.example.org"
[email]
address = "{address}"
[email.smtp]
host = "127.0.0.1"
port = {smtp}
tls = "none"
[email.imap]
host = "127.0.0.1"
port = {imap}
username = "{user}"
password = "{password}"
tls = "none"
trusted_authserv = "{trusted}"
[calendar]
night = ""
noon = ""
[policy.fault_ack]
within = "{within}"
upper_after = "1s"
group_after = "2s"
"""
FANG, LI, WANG, CHEN = (
    "fang@linhe.example.org",
    "li@linhe.example.org",
    "wang@linhe.example.org",
    "chen@sheng.example.org",
)
CLIENT = "三楼会议室没声音了"


class Post(Served):
    """A served bot whose only way in is a mailbox."""

    def __init__(self, config: Path, port: int, smtp: SmtpServer, imap: ImapServer) -> None:
        super().__init__(config, port, DingTalkSimulator(lambda: 0.0))
        self.smtp, self.imap = smtp, imap
        self._sent = 0

    async def write(
        self,
        sender: str,
        text: str,
        *,
        subject: str = "",
        answers: Mail | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Put a mail of somebody into the bot's mailbox."""
        self._sent += 1
        now = datetime.now(UTC)
        raw = letter(
            sender,
            text,
            message_id=f"<post-{self._sent}@client.example.org>",
            date=format_datetime(now),
            subject=subject,
            answers=answers,
            files=files,
        )
        await self.imap.deliver(raw, arrived=now)

    async def reads(self, address: str, *parts: str, within: float = 20) -> Mail:
        """The first mail at an address that has all parts in subject or text, once it is there."""
        found: list[Mail] = []

        async def look() -> bool:
            got = self.smtp.to(address)
            found[:] = [one for one in got if all(part in f"{one.message['Subject']}\n{one.text}" for part in parts)]
            return bool(found)

        await self.until(look, within)
        return found[0]


@asynccontextmanager
async def posted(folder: Path, *, within: str = "10m") -> AsyncIterator[Post]:
    """A bot with the sample organisation and mail only, running and ready."""
    port, config = free_port(), folder / "huibao.toml"
    async with smtp_server() as smtp, imap_server() as imap:
        values = {"user": USER, "password": PASSWORD, "trusted": TRUSTED, "address": BOT, "token": TOKEN}
        text = CONFIG.format(port=port, smtp=smtp.port, imap=imap.port, within=within, **values)
        config.write_text(text, "utf-8")
        code, _, err = await command("import", str(SAMPLE), "--config", str(config))
        assert code == 0, err
        bot = Post(config, port, smtp, imap)
        await bot.start()
        try:
            yield bot
        finally:
            await bot.kill()


async def test_a_fault_is_lived_through_by_mail_across_a_kill(tmp_path: Path) -> None:
    async with posted(tmp_path) as bot:
        await bot.write(FANG, "会马上开始，请尽快处理", subject=CLIENT)
        await bot.reads(FANG, "已受理", "没有声音")
        asked = await bot.reads(LI, "GZ-", "三楼会议室")
        await bot.kill()
        await bot.write(LI, "收到，20分钟到", answers=asked)
        await bot.start()
        await bot.reads(FANG, "已接单", "李工")
        (ack,) = [row for row in await bot.rows("obligations") if row["kind"] == "fault_ack"]
        assert (ack["state"], ack["met_by"], ack["met_via"]) == ("met", "li", "email")
        assert len(await bot.rows("faults")) == 1
        code, seconds = await bot.terminate()
        assert (code, seconds < 10) == (0, True)
        code, out, _ = await command("audit", "verify", "--config", str(bot.config))
        assert (code, "未封存 0 条" in out) == (0, True), out


async def test_silence_reaches_the_supervisor_by_mail(tmp_path: Path) -> None:
    async with posted(tmp_path, within="4s") as bot:
        await bot.write(FANG, "会马上开始", subject=CLIENT)
        await bot.reads(WANG, "GZ-", "尚无人接单")
        await bot.write(LI, "收到，我来", answers=await bot.reads(LI, "GZ-"))
        await bot.reads(WANG, "GZ-", "已由李工")


async def test_a_notice_in_a_word_document_is_confirmed_and_acknowledged_by_mail(tmp_path: Path) -> None:
    year = datetime.now(UTC).year + 1
    paper = papers.Paper(
        body=(f"定于{year}年3月5日上午9：30召开全省防汛视频会商会。", "一、参会范围：各市、县水利局和乡镇。"),
        end=("江南省水利厅办公室",),
    )
    async with posted(tmp_path) as bot:
        files = {"会议通知.docx": papers.as_docx(paper)}
        await bot.write(CHEN, "通知见附件，请安排保障。", subject="会议保障", files=files)
        draft = await bot.reads(CHEN, "【请核对】", "全省防汛视频会商会", "水办防〔2026〕12号")
        await bot.write(CHEN, "确认", answers=draft)
        notice = await bot.reads(LI, "【会议保障通知】", "依据：《江南省水利厅办公室关于召开全省防汛视频会商会的通知》")
        await bot.write(LI, "收到", answers=notice)
        await bot.reads(LI, "已登记")
        met = [row["unit_id"] for row in await bot.rows("obligations", "&kind=notice_ack") if row["state"] == "met"]
        assert met == ["X1"]


async def test_check_says_that_mail_works_and_what_to_mend_when_it_does_not(tmp_path: Path) -> None:
    async with posted(tmp_path) as bot:
        await bot.terminate()
        code, out, _ = await command("check", "--config", str(bot.config))
        assert "收信（IMAP）: ok" in out, out
        assert "发信（SMTP）: ok" in out, out
        wrong = bot.config.with_name("wrong.toml")
        wrong.write_text(bot.config.read_text("utf-8").replace(PASSWORD, "wrong"), "utf-8")
        code, out, _ = await command("check", "--config", str(wrong))
        assert code == 1
        assert "授权码" in out, out
        assert "wrong" not in out.replace("wrong.toml", "")
