"""A value that gains a field is stored, sent and shown with it, and what was stored before can be read."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from penstock.catalog.database.encoding import pack, unpack_body
from penstock.loaders.sandbox.forms import LABEL, MOST_NUMBER, form_of
from penstock.model import Block, Box, ExtractionWriter, Place, Source, Span
from penstock.model.plain import object_of, row_of, value_of

PLACE = Place(page=2, box=Box(0.0, 0.5, 1.0, 1.0), label="iv")
BLOCK = Block(kind="table", span=Span(4, 6), places=(PLACE,), level=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Richer(Block):
    """A block of a later version."""

    language: str = "und"
    columns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbounded(Block):
    """A block with a field of a type that nobody bounded."""

    weight: complex = 0j


RICHER = Richer(
    **{name: getattr(BLOCK, name) for name in ("kind", "span", "places", "level")}, language="zh", columns=3
)


def test_what_catalogs_hold_of_a_block_stays_readable() -> None:
    stored = pack(["abcdef", [["table", 4, 6, [[2, [0.0, 0.5, 1.0, 1.0], "iv"], [3, None, ""]], 1]]])
    text, (block,) = unpack_body(stored)
    assert (text, block) == ("abcdef", replace(BLOCK, places=(*BLOCK.places, Place(page=3))))
    assert row_of(BLOCK) == ["table", 4, 6, [[2, [0.0, 0.5, 1.0, 1.0], "iv"]], 1]


def test_a_new_field_travels_without_an_edit() -> None:
    row = json.loads(json.dumps(row_of(RICHER)))
    assert value_of(Richer, row) == RICHER
    assert value_of(Richer, row_of(BLOCK)) == replace(RICHER, language="und", columns=0)
    sent = json.loads(json.dumps(form_of(Richer).fit(RICHER)))
    assert form_of(Richer).check(sent) == RICHER
    assert object_of(RICHER)["language"] == "zh"
    writer = ExtractionWriter()
    writer.add_like(RICHER, "ab")
    assert writer.finish(title="").blocks == (replace(RICHER, span=Span(0, 2)),)


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(["zh"], id="missing"),
        pytest.param([7, 3], id="type"),
        pytest.param(["x" * (LABEL + 1), 3], id="long"),
        pytest.param(["zh", True], id="truth"),
        pytest.param(["zh", MOST_NUMBER + 1], id="number"),
        pytest.param(["zh", 3, 4], id="more"),
    ],
)
def test_a_new_field_is_not_believed_either(last: list[object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        form_of(Richer).check([*row_of(BLOCK), *last])


def test_a_field_of_a_type_without_bounds_cannot_be_sent() -> None:
    with pytest.raises(TypeError, match=r"Unbounded\.weight"):
        form_of(Unbounded)


def test_the_rows_of_a_later_version_are_no_values_of_this_one() -> None:
    with pytest.raises(ValueError, match="6 fields"):
        value_of(Block, row_of(RICHER))


def test_a_source_as_an_object() -> None:
    source = Source(
        uri="a",
        media_type="b",
        sha256="c",
        size=1,
        modified=datetime(2026, 1, 2, tzinfo=UTC),
        labels={"year": 2026},
        access=frozenset({"z", "a"}),
    )
    assert object_of(source) == {
        "uri": "a",
        "media_type": "b",
        "sha256": "c",
        "size": 1,
        "modified": "2026-01-02T00:00:00+00:00",
        "etag": "",
        "labels": {"year": 2026},
        "access": ["a", "z"],
    }
