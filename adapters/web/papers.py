"""The console's simulated papers: a formal notice and a scan of one, for tomorrow, that everybody can attach."""

import io
from datetime import date, timedelta

from adapters.web.photos import SCHEME
from adapters.web.words import words
from storage.messages import Attachment

PAPERS = ("notice", "scan")
SCAN = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n"
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n"
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj\nxref\n0 4\n0000000000 65535 f \n"
    b"0000000009 00000 n \n0000000058 00000 n \n0000000115 00000 n \ntrailer\n<< /Size 4 /Root 1 0 R >>\n"
    b"startxref\n186\n%%EOF\n"
)
"""A page with nothing on it that could be read."""


def paper_file(name: str, today: date) -> Attachment:
    """A simulated paper, written on ``today``, as an attachment."""
    return Attachment(kind="file", ref=f"{SCHEME}{name}:{today.isoformat()}", name=words()["paper"][name]["file"])


def paper_data(ref: str) -> bytes | None:
    """The file behind an attachment's ``ref``; None when it is none of these."""
    name, _, day = ref.removeprefix(SCHEME).partition(":")
    if ref == name or name not in PAPERS:
        return None
    return SCAN if name == "scan" else _notice(date.fromisoformat(day))


def _notice(today: date) -> bytes:
    from docx import Document  # only where somebody attaches it: loading takes half a second

    tomorrow = today + timedelta(days=1)
    week = words()["days"]["week"]
    document = Document()
    for line in words()["paper"]["notice"]["lines"]:
        document.add_paragraph(line.format(today=today, tomorrow=tomorrow, weekday=week[tomorrow.weekday()]))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
