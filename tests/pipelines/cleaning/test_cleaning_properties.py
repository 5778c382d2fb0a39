"""Whatever a loader gives: cleaning twice is cleaning once, spans fit, and nothing readable is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.model import Box, ExtractionWriter, Place
from penstock.pipelines.cleaning.cleaning import clean
from penstock.testing.contracts.chunkers import KINDS
from tests.examples import examples

PHRASES = st.sampled_from(
    [
        "The water was infor-\nmation for well-\nknown peo-\nple",
        "水从水库流\n向水轮机",
        "年 度 报 告",
        "姓名　张三",
        "e\u0301 \u200b\u00ad\ue000\uf0b7 a\nb",
        "\u2f64\u2ed3\ufb01\n\u0300",
        "ق\u200cم \u200d x\u200dy 👩\u200d👩",
        "• one\n• two and\nmore",
        "Page 7",
        "From: a\nTo: b",
        "a, ",
        "\n",
        "-\n",
        "，",
        "\ud800",
    ]
)
TEXTS = st.lists(PHRASES | st.text(max_size=8), min_size=1, max_size=8).map("".join)
BOXES = st.sampled_from([None, Box(0.1, 0.02, 0.9, 0.05), Box(0.1, 0.4, 0.9, 0.5), Box(0.1, 0.95, 0.9, 0.98)])
PLACES = st.tuples(st.integers(1, 6), BOXES).map(lambda given: (Place(page=given[0], box=given[1]),)) | st.just(())
BLOCKS = st.lists(st.tuples(st.sampled_from(KINDS), TEXTS, PLACES), max_size=20)


@given(blocks=BLOCKS, title=TEXTS)
@settings(deadline=None, max_examples=examples(200))
def test_cleaning_twice_is_cleaning_once(blocks, title):  # type: ignore[no-untyped-def]  # given by hypothesis
    writer = ExtractionWriter()
    for kind, text, places in blocks:
        writer.add(kind, text, places=places)
    once = clean(writer.finish(title=title))
    assert clean(once) == once
    for block in once.blocks:
        text = once.text[block.span.start : block.span.end]
        assert text
        assert text == text.strip()
    once.text.encode("utf-8")
