"""XML of callbacks: wechatpy's parser with entities, document types and bombs kept out."""

import re
from xml.parsers.expat import ExpatError

import xmltodict

from adapters.wecom.fields import BadPayload, Json

DEEPEST = 16
_FORBIDDEN = re.compile(r"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_TAG = re.compile(r"<!\[CDATA\[.*?\]\]>|<(/?)[A-Za-z_][^<>]*?(/?)>", re.DOTALL)


def parse_xml(text: str) -> Json:
    """The children of the root ``<xml>``; BadPayload for anything else."""
    outside = re.sub(r"<!\[CDATA\[.*?\]\]>", "", text, flags=re.DOTALL)
    if _FORBIDDEN.search(outside) or _depth(text) > DEEPEST:
        raise BadPayload("xml")
    try:
        value = xmltodict.parse(text, disable_entities=True)
    except (ExpatError, ValueError, RecursionError, UnicodeError):
        raise BadPayload("xml") from None
    root = value.get("xml")
    if not isinstance(root, dict):
        raise BadPayload("xml")
    return root


def _depth(text: str) -> int:
    deepest = depth = 0
    for tag in _TAG.finditer(text):
        if tag[0].startswith("<![CDATA["):
            continue
        if tag[1]:
            depth -= 1
        elif not tag[2]:
            depth += 1
            deepest = max(deepest, depth)
    return deepest
