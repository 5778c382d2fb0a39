"""How a hit is cited: as a person would."""

import pytest

from penstock.integrations.hits import citation
from penstock.model import Place, Source


@pytest.mark.parametrize(
    ("uri", "media_type", "places", "expected"),
    [
        pytest.param(
            "file:///手册/员工手册.pdf", "application/pdf", (Place(page=12),), "员工手册.pdf, p. 12", id="page"
        ),
        pytest.param(
            "file:///a/100%25.pdf",
            "application/pdf",
            (Place(page=3), Place(page=4), Place(page=4)),
            "100%.pdf, pp. 3-4",
            id="pages",
        ),
        pytest.param(
            "file:///a.pdf", "application/pdf", (Place(page=4, label="iv"),), "a.pdf, p. iv", id="the page's own name"
        ),
        pytest.param(
            "file:///deck.pptx",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            (Place(page=2),),
            "deck.pptx, slide 2",
            id="slide",
        ),
        pytest.param(
            "file:///a.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            (Place(page=1, label="Prices"),),
            "a.xlsx, sheet Prices",
            id="sheet",
        ),
        pytest.param("file:///card.png", "image/png", (Place(page=1),), "card.png", id="picture"),
        pytest.param("file:///notes.md", "text/markdown", (), "notes.md", id="no pages"),
        pytest.param("https://example.org/a?b=c", "text/html", (), "https://example.org/a?b=c", id="web page"),
        pytest.param("memo:1", "text/plain", (), "memo:1", id="a program's own address"),
        pytest.param("file:///a%0Ab.md", "text/markdown", (), "a\\nb.md", id="control character"),
    ],
)
def test_a_citation_names_source_and_place(uri: str, media_type: str, places: tuple[Place, ...], expected: str) -> None:
    source = Source(uri=uri, media_type=media_type, sha256="", size=0, labels={})
    assert citation(source, places) == expected
