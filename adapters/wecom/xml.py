"""XML of callbacks: wechatpy's parser with entities, document types and bombs kept out.

Whoever knows the address may send it anything, before any signature is looked at. So a first pass, in time linear in
the size, throws out what no message needs.
"""

from xml.parsers.expat import ExpatError, ParserCreate

import xmltodict

from adapters.wecom.fields import BadPayload, Json

DEEPEST, MOST_ELEMENTS, MOST_ATTRIBUTES = 16, 1000, 16


def parse_xml(text: str) -> Json:
    """The children of the root ``<xml>``; BadPayload for anything else."""
    try:
        _look_through(text)
        value = xmltodict.parse(text, disable_entities=True)
    except (ExpatError, ValueError, RecursionError, UnicodeError):
        raise BadPayload("xml") from None
    root = value.get("xml")
    if not isinstance(root, dict):
        raise BadPayload("xml")
    return root


def _look_through(text: str) -> None:
    """ValueError or ExpatError for what is no plain XML: a document type, entities, depth, masses of elements."""
    depth = elements = 0

    def begin(_name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > DEEPEST or elements > MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
            raise ValueError("too deep or too many")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    def forbidden(*_: object) -> None:
        raise ValueError("document type")

    parser = ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = forbidden
    parser.Parse(text, True)
