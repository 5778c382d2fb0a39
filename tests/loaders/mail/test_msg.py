import struct
from datetime import UTC, datetime, timedelta

import pytest

from penstock.errors import BrokenSource
from penstock.loaders.mail.msg import MsgLoader
from penstock.loaders.rtf.compressed import decompress_rtf
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read, texts
from penstock.testing.doubles.files import compound_of

TICKS = (datetime(2026, 3, 3, 1, 30, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10


def properties(codepage: int = 0, sent: int = 0) -> bytes:
    records = [struct.pack("<HHI8s", 3, 0x3FFD, 6, struct.pack("<I", codepage))] if codepage else []
    records += [struct.pack("<HHI8s", 0x40, 0x39, 6, struct.pack("<Q", sent))] if sent else []
    return bytes(32) + b"".join(records)


def encoded(text: str, narrow: str) -> bytes:
    return text.encode(narrow or "utf-16-le")


def message(narrow: str = "", **more: bytes) -> bytes:
    """A message with Unicode strings, or in one 8-bit encoding."""
    kind = "001E" if narrow else "001F"
    page = {"gb18030": 936, "": 0}[narrow]
    streams = {
        "__properties_version1.0": properties(page, TICKS),
        f"__substg1.0_0037{kind}": encoded("年假安排", narrow),
        f"__substg1.0_0C1A{kind}": encoded("王伟", narrow),
        f"__substg1.0_0C1F{kind}": encoded("wang@example.org", narrow),
        f"__substg1.0_0E04{kind}": encoded("Ann", narrow),
        f"__substg1.0_1000{kind}": encoded("Ten days.\r\n\r\n年假可以结转。", narrow),
        f"__attach_version1.0_#00000000/__substg1.0_3707{kind}": encoded("规定.pdf", narrow),
        **{name.replace("s_", "__substg1.0_"): content for name, content in more.items()},
    }
    return compound_of(streams)


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return MsgLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return message()


@pytest.mark.parametrize("narrow", ["", "gb18030"])
def test_a_message_gives_its_head_text_and_attachments(narrow: str) -> None:
    found = read(MsgLoader(), message(narrow))
    assert found.title == "年假安排"
    assert texts(found) == [
        "Subject: 年假安排\nFrom: 王伟 <wang@example.org>\nTo: Ann\nDate: 2026-03-03 01:30+00:00",
        "Ten days.",
        "年假可以结转。",
        "Attachments (files of their own, not read here): 规定.pdf",
    ]


def test_html_and_rtf_are_read_where_there_is_no_plain_text() -> None:
    html = message(s_1000001F=b"", s_10130102=b"<p>from <b>HTML</b></p>")
    assert "from HTML" in texts(read(MsgLoader(), html))
    rtf = b"{\\rtf1 from RTF\\par two}"
    stored = struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf
    assert texts(read(MsgLoader(), message(s_1000001F=b"", s_10090102=stored)))[1:3] == ["from RTF", "two"]


def test_addresses_of_a_directory_are_left_out() -> None:
    found = read(MsgLoader(), message(s_0C1F001F="/O=EXAMPLE/CN=WANG".encode("utf-16-le")))
    assert "From: 王伟\n" in found.text


@pytest.mark.parametrize("content", [b"", b"no compound file", compound_of({"other": b"x"})])
def test_what_is_no_message_is_named(content: bytes) -> None:
    with pytest.raises(BrokenSource, match="damaged"):
        read(MsgLoader(), content)


def test_compressed_rtf_of_the_specification() -> None:
    """Source: [MS-OXRTFCP] 3.1.4, the two published examples."""
    simple = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0".replace(
            " ", ""
        )
    )
    assert decompress_rtf(simple) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    crossing = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert decompress_rtf(crossing) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert decompress_rtf(b"") == b""
    assert decompress_rtf(b"\0" * 20) == b""
    assert decompress_rtf(simple[:-4]).startswith(b"{\\rtf1")
