"""The contract of `Embedder` as a suite to subclass."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from penstock.model import Blueprint
from penstock.ports import FEWEST_TOKENS, SPECIAL_TOKENS, Embedder, PortableCounter, TokenCounter
from penstock.registry import build, load
from penstock.testing.contracts.chunkers import check, cut, document_of
from penstock.testing.contracts.counters import TokenCounterContract
from penstock.testing.contracts.texts import AWKWARD, CHINESE, ENGLISH, at_once

TOLERANCE = 1e-5


class EmbedderContract(TokenCounterContract):
    """What every embedder must do: subclass it in a test and give the fixture `embedder`."""

    @pytest.fixture
    def counter(self, embedder: Embedder) -> TokenCounter:
        """The embedder, which counts in the tokens of its model."""
        return embedder

    def test_vectors_are_unit_and_of_the_stated_shape(self, embedder: Embedder) -> None:
        """One float32 row of length 1 for each text."""
        vectors = embedder.embed([ENGLISH, CHINESE], role="passage")
        assert vectors.shape == (2, embedder.dimension)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=TOLERANCE)

    def test_no_texts_give_no_rows(self, embedder: Embedder) -> None:
        """An empty list is not an error."""
        assert embedder.embed([], role="query").shape == (0, embedder.dimension)

    def test_awkward_texts_have_vectors(self, embedder: Embedder) -> None:
        """Empty, broken and very long texts are embedded as any other."""
        vectors = embedder.embed(AWKWARD, role="passage")
        assert vectors.shape == (len(AWKWARD), embedder.dimension)
        assert np.isfinite(vectors).all()

    def test_a_vector_does_not_depend_on_its_neighbours(self, embedder: Embedder) -> None:
        """Batching and order change nothing."""
        texts = [ENGLISH, CHINESE, *AWKWARD, *("leave " * count for count in range(1, 70))]
        together = embedder.embed(texts, role="passage")
        apart = np.vstack([embedder.embed([text], role="passage") for text in reversed(texts)])[::-1]
        assert np.abs(together - apart).max() < TOLERANCE

    def test_threads_share_it(self, embedder: Embedder) -> None:
        """Several collections of a library ask one model at the same moment, and each gets its own answer."""
        texts = [ENGLISH, CHINESE, *("leave " * count for count in range(1, 9))]
        expected = embedder.embed(texts, role="query")
        assert all(
            np.abs(found - expected).max() < TOLERANCE for found in at_once(lambda: embedder.embed(texts, role="query"))
        )
        counts = embedder.count(texts)
        assert all(found == counts for found in at_once(lambda: embedder.count(texts)))

    def test_identity_stays(self, embedder: Embedder) -> None:
        """Nothing that was embedded changes what vectors may be compared."""
        before = embedder.identity
        embedder.embed([ENGLISH], role="query")
        assert embedder.identity == before
        assert before

    def test_coverage_is_a_share(self, embedder: Embedder) -> None:
        """Between 0 and 1 for any text."""
        assert all(0 <= embedder.coverage(text) <= 1 for text in (ENGLISH, CHINESE, *AWKWARD))

    def test_a_counter_that_another_process_makes_counts_the_same(self, embedder: Embedder) -> None:
        """Where the model offers it, documents are cut where they are parsed: into the same chunks as here."""
        if not isinstance(embedder, PortableCounter):
            pytest.skip("the embedder does not offer it")
        made: TokenCounter = build(Blueprint(**json.loads(json.dumps(asdict(embedder.counter)))))
        texts = [ENGLISH, CHINESE, *AWKWARD]
        assert made.count(texts) == embedder.count(texts)
        assert [made.offsets(text) for text in texts] == [embedder.offsets(text) for text in texts]

    def test_documents_are_cut_to_what_it_sees(self, embedder: Embedder) -> None:
        """The default chunker fills chunks by its tokens, loses nothing, and exceeds its window nowhere."""
        size = min(64, embedder.max_tokens - SPECIAL_TOKENS)
        chunker = load("chunkers", "structure")(embedder, size=size, tokenizer=embedder.identity)
        document = document_of([("heading", "Leave 年假", 1, 1), ("paragraph", f"{ENGLISH} {CHINESE} " * 60, 0, 1)])
        chunks = cut(chunker, document)
        check(chunks, document, size=size, counter=embedder)
        assert len(chunks) > 1

    def test_sees_some_tokens(self, embedder: Embedder) -> None:
        """A model that sees less than a sentence embeds none."""
        assert embedder.max_tokens >= FEWEST_TOKENS
