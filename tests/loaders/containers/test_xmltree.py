from pathlib import Path

import pytest

from penstock.errors import BrokenSource
from penstock.loaders.containers.xmltree import all_text, attribute, child, descendants, local, parse_plain, parse_xml
from penstock.testing.doubles.files import source_of

LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l0 "ha">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + "]><a>begin &l9; end</a>"
)


def test_entities_neither_grow_nor_read_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    external = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>begin &x; end</a>'
    assert all_text(parse_xml(source_of(b""), external.encode(), "part")) == "begin &x; end"
    with pytest.raises(BrokenSource, match="amplification"):
        parse_xml(source_of(b""), LAUGHS.encode(), "part")


@pytest.mark.parametrize("content", [b"", b"<a>", b"no xml", b"<a></b>"])
def test_what_is_not_well_formed_is_named(content: bytes) -> None:
    with pytest.raises(BrokenSource, match=r"part 'word/document\.xml'"):
        parse_xml(source_of(content), content, "word/document.xml")
    assert parse_plain(content) is None


def test_names_are_compared_without_namespace() -> None:
    root = parse_xml(source_of(b""), b'<a xmlns="urn:x" xmlns:y="urn:y"><?pi?><y:b y:c="1"><d>t</d></y:b></a>', "p")
    assert attribute(child(root, "b"), "c") == "1"
    assert attribute(child(root, "b", "none"), "c") == ""
    assert [local(element) for element in descendants(root, "b", "d")] == ["b", "d"]
    assert all_text(None) == ""
