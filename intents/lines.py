"""Standard input as lines of text, whatever wrote it."""

import codecs
from collections.abc import Iterable, Iterator


def text_lines(raw: Iterable[bytes]) -> Iterator[str]:
    """Lines of bytes as text: what is not UTF-8 becomes replacement characters, never an error.

    A byte order mark, with which Windows begins a text file, is no part of the first line.
    """
    for number, line in enumerate(raw):
        yield (line if number else line.removeprefix(codecs.BOM_UTF8)).decode("utf-8", "replace")
