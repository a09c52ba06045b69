"""Mails for tests: what people and machines write to the bot."""

from email.message import EmailMessage
from email.policy import SMTP

from adapters.email.letter import Letter, read_letter
from adapters.email.threads import Threads

BOT = "bot@huibao.example.org"
SECRET = b"k" * 32
THREADS = Threads(SECRET, BOT)


def mail(
    text: str = "收到", *, sender: str = "李明 <li@gov.example.cn>", subject: str = "回复", **headers: str
) -> bytes:
    """A plain mail; further headers by name, ``_`` for ``-``. A header given as an empty text is left out."""
    message = EmailMessage(policy=SMTP)
    standard = {
        "From": sender,
        "To": BOT,
        "Subject": subject,
        "Date": "Tue, 24 Nov 2026 09:00:00 +0800",
        "Message-ID": "<m1@gov.example.cn>",
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {**standard, **given}.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


def letter(text: str = "收到", **headers: str) -> Letter:
    """The same, read."""
    return read_letter(mail(text, **headers))


def bounce(
    message_id: str, *, status: str = "5.1.1", action: str = "failed", said: str = "550 5.1.1 User unknown"
) -> bytes:
    """A delivery status notification about a mail with this Message-ID."""
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.org\r\n"
        f"To: {BOT}\r\nSubject: Undelivered Mail Returned to Sender\r\nMessage-ID: <dsn-{status}@mx.example.org>\r\n"
        "Date: Tue, 24 Nov 2026 09:00:00 +0800\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n"
        f"Final-Recipient: rfc822; gone@gov.example.cn\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {said}\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: {BOT}\r\nTo: gone@gov.example.cn\r\nSubject: x\r\nMessage-ID: {message_id}\r\n\r\nx\r\n--b--\r\n"
    ).encode()
