from io import BytesIO

import pytest

from penstock.errors import BrokenSource
from penstock.loaders.plain.xml import XmlLoader
from penstock.model import Source

SOURCE = Source(uri="file:///a.xml", media_type="application/xml", sha256="", size=0, labels={})


def read(xml: str, encoding: str = "utf-8") -> str:
    return XmlLoader().load(SOURCE, BytesIO(xml.encode(encoding))).text


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        pytest.param(
            "<all><land><name>中国</name><capital>北京</capital></land><land><name>US</name></land></all>",
            "name: 中国\ncapital: 北京\n\nname: US",
            id="a paragraph a record",
        ),
        pytest.param("<p>Leave <b>carries</b> over.</p>", "Leave carries over.", id="mixed content"),
        pytest.param('<r><row id="7" v="x"/><row id="8"/></r>', "row: id: 7, v: x\nrow: id: 8", id="attributes"),
        pytest.param('<a xmlns="urn:x"><b><c>1</c></b></a>', "c: 1", id="name space"),
        pytest.param("<a><!-- no --><?pi no?>yes</a>", "yes", id="comments"),
        pytest.param("<a/>", "", id="empty"),
    ],
)
def test_text_of_elements_is_read(xml: str, text: str) -> None:
    assert read(xml) == text


def test_the_declared_encoding_is_read() -> None:
    assert read('<?xml version="1.0" encoding="utf-16"?><a>年假</a>', "utf-16") == "年假"


def test_entities_do_not_grow() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><a>before &y; after</a>'
    assert "lol" not in read(bomb)


def test_broken_xml_says_so() -> None:
    with pytest.raises(BrokenSource, match=r"a\.xml"):
        read("<a><b></a>")
