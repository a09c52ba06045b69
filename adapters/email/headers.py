"""Header values: encoded words, addresses, parameters, message ids, dates. Nothing here raises on odd input."""

import binascii
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from adapters.email.charset import decode

MOST_IDS = 100
LONGEST_ID = 500
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\\?\Z)', re.DOTALL)
_COMMENT = re.compile(r"\([^()]*\)")
_ANGLE = re.compile(r"<([^<>]*)>")
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f@<>\"(),;:\\]{1,64}@[^\s\x00-\x1f\x7f@<>\"(),;:\\]{1,255}")
_ID = re.compile(r"<([^<>\s]+)>")
_BARE_ID = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_PARAMETER = re.compile(r';\s*([\w*.-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))')


def readable(value: str) -> str:
    """The value with its encoded words read. Neighbouring words are joined as bytes: some clients cut characters."""
    out: list[str] = []
    pending, charset, end = b"", "", 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        if pending and (between.strip() or match[1].lower() != charset):
            out.append(decode(pending, charset))
            pending = b""
        if between.strip() or not end:
            out.append(between)
        pending += _encoded(match[2], match[3])
        charset, end = match[1].partition("*")[0].lower(), match.end()
    if pending:
        out.append(decode(pending, charset))
    out.append(value[end:])
    return " ".join("".join(out).split())


def addresses(value: str) -> list[tuple[str, str]]:
    """(name, address) of an address header; addresses in lower case. Names are decoded only after the cut."""
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(re.sub(r"\\(.)", r"\1", match[1]))
        return f"\0{len(kept) - 1}\0"

    found = []
    for entry in re.split("[,;]", _COMMENT.sub(" ", _QUOTED.sub(hide, value.replace("\0", "")))):
        angle = _ANGLE.search(entry)
        address = _ADDRESS.fullmatch((angle[1] if angle else entry).strip())
        if address is None:
            continue
        name = re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], entry[: angle.start()] if angle else "")
        found.append((readable(name.strip()), address[0].lower()))
    return found


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """``text/plain; charset="x"``: the value in lower case, and its parameters with continuations joined (RFC 2231)."""
    main = value.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    split: dict[str, list[tuple[int, bool, str]]] = {}
    for name, quoted, bare in _PARAMETER.findall(value):
        content = re.sub(r'\\(["\\])', r"\1", quoted) if quoted else bare.strip()
        key, _, section = name.lower().partition("*")
        if not section and not name.endswith("*"):
            plain.setdefault(key, readable(content))
            continue
        number = section.rstrip("*")
        split.setdefault(key, []).append((int(number[:4]) if number.isascii() and number.isdigit() else 0,
                                          name.endswith("*"), content))  # fmt: skip
    return main, {**plain, **{key: _joined(sections) for key, sections in split.items()}}


def message_ids(value: str) -> tuple[str, ...]:
    """The ids of a Message-ID, In-Reply-To or References header as ``<…>``, each once, in order; the last hundred."""
    found = [f"<{one}>" for one in _ID.findall(value) if len(one) <= LONGEST_ID]
    bare = value.strip()
    if not found and bare.isascii() and len(bare) <= LONGEST_ID and _BARE_ID.fullmatch(bare):
        found = [f"<{bare}>"]
    return tuple(dict.fromkeys(found[-MOST_IDS:]))


def moment(value: str) -> datetime | None:
    """The time of a Date header, in UTC; none when it has none."""
    try:
        parsed = parsedate_to_datetime(_COMMENT.sub(" ", value[:200]))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _encoded(kind: str, content: str) -> bytes:
    if kind in "qQ":
        return binascii.a2b_qp(content.replace("_", " ").encode("utf-8", "replace"), header=False)
    dense = re.sub(r"[^A-Za-z0-9+/]", "", content)
    dense = dense[:-1] if len(dense) % 4 == 1 else dense
    return binascii.a2b_base64(dense + "=" * (-len(dense) % 4))


def _joined(sections: list[tuple[int, bool, str]]) -> str:
    data, charset = b"", "utf-8"
    for place, (number, encoded, content) in enumerate(sorted(sections, key=lambda one: one[0])):
        text = content
        if encoded and (place == 0 or number == 0) and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
    return readable(decode(data, charset or "utf-8"))
