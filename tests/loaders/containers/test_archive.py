import io
import zipfile

import pytest

from penstock.errors import BrokenSource, EncryptedSource, LimitExceeded, SourceError, UnsupportedFormat
from penstock.loaders.containers import archive
from penstock.loaders.containers.archive import open_archive, read_part
from penstock.testing.doubles.files import compound_of, source_of, zip_of


def opened(content: bytes) -> zipfile.ZipFile:
    return open_archive(source_of(content), io.BytesIO(content))


def test_parts_are_read_and_missing_ones_are_none() -> None:
    content = zip_of({"a.xml": "<a/>"})
    assert read_part(source_of(content), opened(content), "a.xml") == b"<a/>"
    assert read_part(source_of(content), opened(content), "b.xml") is None


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zip_of({"bomb.xml": b"0" * 2_000_000})
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1_000_000)
    with pytest.raises(LimitExceeded, match="Split it"):
        opened(content)


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(LimitExceeded, match="3 parts"):
        opened(zip_of(dict.fromkeys("abc", "")))


def test_a_part_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zip_of({"a.xml": b"0" * 1000})
    monkeypatch.setattr(archive, "MAX_PART_BYTES", 999)
    with pytest.raises(LimitExceeded, match=r"a\.xml"):
        read_part(source_of(content), opened(content), "a.xml")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        pytest.param(b"", BrokenSource, "no readable zip", id="empty"),
        pytest.param(b"PK\x03\x04 and no more", BrokenSource, "no readable zip", id="cut off"),
        pytest.param(compound_of({"EncryptedPackage": b"x"}), EncryptedSource, "password", id="encrypted office"),
        pytest.param(compound_of({"WordDocument": b"x"}), UnsupportedFormat, "older binary", id="old format"),
        pytest.param(archive.OLE_MAGIC + b"short", BrokenSource, "compound file", id="damaged compound file"),
    ],
)
def test_what_is_no_archive_is_named(content: bytes, error: type[SourceError], message: str) -> None:
    with pytest.raises(error, match=message):
        opened(content)


def test_a_locked_member_needs_a_password() -> None:
    content = bytearray(zip_of({"a.xml": "<a/>"}))
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(EncryptedSource, match="password"):
        opened(bytes(content))


def test_a_damaged_member_is_broken() -> None:
    content = bytearray(zip_of({"a.xml": "<a>some text that is compressed</a>" * 20}))
    content[40] ^= 0xFF
    with pytest.raises(BrokenSource, match="cannot be unpacked"):
        read_part(source_of(bytes(content)), opened(bytes(content)), "a.xml")
