"""The contract of `TokenCounter` as a suite to subclass."""

from penstock.ports import TokenCounter
from penstock.testing.contracts.texts import AWKWARD, CHINESE, ENGLISH


class TokenCounterContract:
    """What every token counter must do: subclass it in a test and give the fixture `counter`."""

    def test_counts_the_tokens_that_it_places(self, counter: TokenCounter) -> None:
        """Positions and counts agree, for any text, and each time."""
        texts = [ENGLISH, CHINESE, *AWKWARD]
        counts = counter.count(texts)
        assert counts == [len(counter.offsets(text)) for text in texts]
        assert counts == [count for text in texts for count in counter.count([text])]
        assert all(count > 0 for count in counts[:2])
        assert counter.count([]) == []

    def test_tokens_are_places_in_the_text(self, counter: TokenCounter) -> None:
        """Half-open ranges of code points, none before the one that it follows, none beyond the text."""
        for text in (ENGLISH, CHINESE, *AWKWARD):
            places = counter.offsets(text)
            assert all(0 <= start <= end <= len(text) for start, end in places)
            assert places == sorted(places, key=lambda place: place[0])

    def test_special_tokens_are_not_counted(self, counter: TokenCounter) -> None:
        """What a model puts around each text is added by the caller of the model."""
        assert counter.count([""]) == [0]

    def test_long_texts_are_counted_to_their_end(self, counter: TokenCounter) -> None:
        """A text is not cut to what the model sees: that is what it is counted for."""
        for text in (ENGLISH * 400, CHINESE * 400):
            assert counter.offsets(text)[-1][1] == len(text)
