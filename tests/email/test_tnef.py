"""``winmail.dat``: the files inside are taken out; broken ones give what is whole, and never an error."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.email.letter import read_letter
from adapters.email.mime import Part, Reader
from adapters.email.tnef import unpack

MAIL = Path(__file__).with_name("corpus").joinpath("winmail_with_files.eml").read_bytes()


def packed() -> bytes:
    parts: list[Part] = list(Reader().read(MAIL).walk())
    return parts[-1].data()


def test_the_paper_inside_is_there_under_its_long_name() -> None:
    [file] = read_letter(MAIL).files
    assert file.name == "关于召开会议的通知.docx"
    assert file.data == b"PK\x03\x04docx"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_one_never_raises(data: st.DataObject) -> None:
    raw = bytearray(packed())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    for name, content in unpack(bytes(raw)):
        assert isinstance(name, str)
        assert content in raw


@settings(deadline=None)
@given(st.integers(0, 2000))
def test_one_that_is_cut_short_gives_what_is_whole(length: int) -> None:
    whole = unpack(packed())
    assert len(whole) == 2
    assert [data for _, data in unpack(packed()[:length])] in ([], [whole[0][1]], [data for _, data in whole])
