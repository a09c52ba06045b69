"""What ``bot.py check`` says about mail: one line each, with the way to mend it. Nothing is sent to anybody."""

from collections.abc import Awaitable, Callable
from functools import partial

from adapters.email.errors import Misconfigured, NotSecure, SenderRefused
from adapters.email.mailbox import Mailbox
from adapters.email.send import ADDRESS
from adapters.email.smtp import Smtp
from adapters.email.words import words
from storage.ports import CheckLine, SendError
from storage.settings import EmailSettings, ImapSettings, SmtpSettings


class Check:
    """``public_url`` is the address that links in mails begin with."""

    def __init__(self, settings: EmailSettings, smtp: Smtp, mailbox: Mailbox, public_url: str) -> None:
        self._settings, self._smtp, self._mailbox, self._public_url = settings, smtp, mailbox, public_url

    async def run(self) -> list[CheckLine]:
        """All lines: address, sending, receiving, proof of senders, links."""
        return [self._address(), await self._sending(), await self._receiving(), self._proof(), self._links()]

    def _address(self) -> CheckLine:
        address = self._settings.address.strip()
        known = ADDRESS.fullmatch(address) is not None
        wrong = words("check.address_bad", address=address) if address else words("check.address_missing")
        return CheckLine(words("check.settings"), known, address if known else wrong)

    async def _sending(self) -> CheckLine:
        address = self._settings.address.strip()
        try:
            return await _login("smtp", self._settings.smtp, partial(self._smtp.probe, address))
        except SenderRefused as error:
            said = words("check.smtp_sender", address=address, detail=error.reason)
            return CheckLine(words("check.smtp"), False, said)

    async def _receiving(self) -> CheckLine:
        return await _login("imap", self._settings.imap, self._mailbox.probe)

    def _proof(self) -> CheckLine:
        server = self._settings.imap.trusted_authserv
        said = words("check.proof_ok", server=server) if server else words("check.proof_off")
        return CheckLine(words("check.proof"), True, said)

    def _links(self) -> CheckLine:
        url = self._public_url
        if not url:
            return CheckLine(words("check.links"), True, words("check.links_off"))
        plain = not url.startswith("https://")
        return CheckLine(words("check.links"), True, words("check.links_plain") if plain else url)


async def _login(name: str, settings: SmtpSettings | ImapSettings, probe: Callable[[], Awaitable[None]]) -> CheckLine:
    """Connect as configured, log in and leave. Raises SenderRefused."""
    what, place = words(f"check.{name}"), f"{settings.host}:{settings.port}"
    if not settings.host:
        return CheckLine(what, False, words(f"check.{name}_host"))
    try:
        await probe()
    except SenderRefused:
        raise
    except Misconfigured as error:
        return CheckLine(what, False, words(f"check.{name}_login", detail=error.reason))
    except NotSecure as error:
        return CheckLine(what, False, words("check.tls", tls=settings.tls, detail=error.reason))
    except SendError as error:
        return CheckLine(what, False, words("check.unreachable", address=place, detail=error.reason))
    return CheckLine(what, True, words("check.reached", address=place, tls=settings.tls))
