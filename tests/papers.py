"""Formal notices as the offices send them, made for the tests: Word, PDF with Chinese text, plain text, broken ones."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH


@dataclass(frozen=True)
class Paper:
    """The parts of a 公文: red head, number, title (its printed lines), addressees, body, a table, annexes, the end."""

    head: str = "江南省水利厅办公室文件"
    number: str = "水办防〔2026〕12号"
    title: tuple[str, ...] = ("江南省水利厅办公室关于召开全省防汛", "视频会商会的通知")
    to: str = "各市（州）、县（市、区）水利局，厅直属有关单位："
    body: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    annexes: tuple[str, ...] = ()
    end: tuple[str, ...] = ("江南省水利厅办公室", "2026年11月23日")
    mark: str = ""

    @property
    def lines(self) -> list[str]:
        """All lines without the table."""
        first = [line for line in (self.mark, self.head, self.number, *self.title, self.to) if line]
        return [*first, *self.body, *self.annexes, *self.end]


FLOOD = Paper(
    body=(
        "根据近期雨情水情，经研究，定于2026年11月25日（星期三）召开全省防汛视频会商会。现将有关事项通知如下：",
        "一、会议时间",
        "2026年11月25日（星期三）上午9：30，会期约1.5小时。请参会人员于9：15前签到入场。",
        "二、会议地点",
        "主会场设在省水利厅三楼会议室，各市、县水利局和乡镇设分会场。",
        "三、参会人员",
        "各市、县水利局主要负责同志。",
        "四、有关要求",
        "（一）系统联调定于11月24日（星期二）下午16：30进行，请各分会场技术人员提前做好准备。",
        "（二）请于11月24日18：00前将参会人员名单报送厅办公室。",
        "（三）联系人：刘洋，电话：0571-88880000；传真：0571-88880001。",
    ),
    annexes=("附件：1.参会人员名单回执", "2.分会场设置表"),
)
"""Several times: the meeting's, sign-in, joint test, a deadline, the date of issue."""

TABLED = Paper(
    head="",
    number="",
    title=("关于做好全省政务服务视频会议保障工作的通知",),
    to="各有关单位：",
    body=("为做好会议保障，现将有关安排通知如下。",),
    table=(
        ("会议名称", "全省政务服务视频会议"),
        ("会议时间", "2026年11月26日（周四）14:30-16:00"),
        ("联调时间", "2026年11月26日上午10:00"),
        ("联系人", "王芳 13812345678"),
        ("序号", "分会场", "设备"),
        ("1", "临河县水利局三楼会议室", "会议终端"),
        ("2", "安川县水利局二楼会议室", "会议终端"),
    ),
    end=("省政务服务中心", "2026年11月24日"),
)
"""Everything in a table, with the sites listed by name."""

URGENT = Paper(
    head="江州市防汛抗旱指挥部",
    number="江防指明电〔2026〕7号",
    title=("江州市防汛抗旱指挥部关于召开防御强降雨视频调度会的紧急通知",),
    to="各县（区）防指：",
    body=(
        "定于今晚20时召开防御强降雨视频调度会，请准时参加。信号调试时间：19时起。",
        "一、参会单位：各县、各乡镇。",
        "二、联系人：李雷（87654321）。",
    ),
    end=("江州市防汛抗旱指挥部", "2026年11月24日"),
)


def as_docx(paper: Paper, *, header: str = "") -> bytes:
    """A Word file; ``header`` stands at the head of each page."""
    document = Document()
    if header:
        document.sections[0].header.paragraphs[0].text = header
    first = [line for line in (paper.mark, paper.head, paper.number, *paper.title) if line]
    for line in first:
        document.add_paragraph(line).alignment = WD_ALIGN_PARAGRAPH.CENTER
    for line in (paper.to, *paper.body):
        document.add_paragraph(line)
    if paper.table:
        _table(document, paper.table)
    for line in (*paper.annexes, *paper.end):
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _table(document: object, rows: Sequence[Sequence[str]]) -> None:
    width = max(map(len, rows))
    table = document.add_table(rows=0, cols=width)  # type: ignore[attr-defined]
    for row in rows:
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=False):
            cell.text = text
        if len(row) < width:
            cells[len(row) - 1].merge(cells[-1])


def as_pdf(lines: Sequence[str], *, width: int = 36, readable: bool = True) -> bytes:
    """One page of text in a composite font whose ToUnicode map says which characters stand there.

    Lines are cut at ``width`` characters as a printer would. Without ``readable`` there is no such map, as in scans
    with drawn letters.
    """
    printed = [line[at : at + width] for line in lines for at in range(0, len(line), width)]
    glyphs = {char: number for number, char in enumerate(dict.fromkeys("".join(printed)), start=1)}
    shown = "\n".join(
        f"1 0 0 1 60 {800 - 18 * at} Tm <{''.join(f'{glyphs[char]:04x}' for char in line)}> Tj"
        for at, line in enumerate(printed)
    )
    content = f"BT /F1 12 Tf\n{shown}\nET".encode()
    mapped = "\n".join(f"<{number:04x}> <{char.encode('utf-16-be').hex()}>" for char, number in glyphs.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{len(glyphs)} beginbfchar\n{mapped}\nendbfchar\n"
        "endcmap end end"
    ).encode()
    to_unicode = b" /ToUnicode 6 0 R" if readable else b""
    return _pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        _stream(content),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [7 0 R]"
        + to_unicode
        + b" >>",
        _stream(cmap),
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Song /DW 1000"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
    )


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _pdf(*objects: bytes) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(out)


def scanned_pdf() -> bytes:
    """A page without any text."""
    return as_pdf([])


def sealed_pdf() -> bytes:
    """A PDF under a password."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(as_pdf(FLOOD.lines))))
    writer.encrypt("geheim", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def old_word(*, sealed: bool = False) -> bytes:
    """The first bytes of a compound file, as Word before 2007 writes it, or any Word that sets a password."""
    inside = "EncryptedPackage" if sealed else "WordDocument"
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + inside.encode("utf-16-le") + bytes(512)


def zip_bomb(size: int = 200 * 1024 * 1024) -> bytes:
    """A Word file of some kilobytes that would unpack to ``size`` bytes of the same letter."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(size // (1024 * 1024)):
            part.write(b"A" * (1024 * 1024))
    return out.getvalue()
