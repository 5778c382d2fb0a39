"""The contract of `Analyser` as a suite to subclass."""

from penstock.ports import Analyser
from penstock.testing.contracts.texts import AWKWARD, CHINESE, ENGLISH, at_once

LONGEST_BYTES = 200
TEXTS = (ENGLISH, CHINESE, f"{ENGLISH} {CHINESE}", "年假 policy\u00a0v2.1\u3000（2024）", *AWKWARD)


class AnalyserContract:
    """What every analyser must do: subclass it in a test and give the fixture `analyser`."""

    def test_tokens_can_be_stored_by_any_index(self, analyser: Analyser) -> None:
        """None is empty, holds white space or is longer than 200 bytes, whatever the text."""
        for text in TEXTS:
            for token in (*analyser.tokens(text), *analyser.query_tokens(text)):
                assert token
                assert not any(map(str.isspace, token))
                assert len(token.encode("utf-8", "surrogatepass")) <= LONGEST_BYTES

    def test_text_has_tokens_and_white_space_has_none(self, analyser: Analyser) -> None:
        """In English and in Chinese."""
        assert analyser.tokens(ENGLISH)
        assert analyser.tokens(CHINESE)
        assert analyser.tokens("") == analyser.tokens(" \n\t ") == []
        assert analyser.query_tokens("") == []

    def test_tokens_come_in_order_and_repeats_stay(self, analyser: Analyser) -> None:
        """How often a word occurs, and after which, is what an index ranks by."""
        turbine, valve = analyser.tokens("turbine"), analyser.tokens("valve")
        assert turbine != valve
        assert analyser.tokens("turbine valve turbine") == [*turbine, *valve, *turbine]

    def test_a_text_is_found_by_its_own_words(self, analyser: Analyser) -> None:
        """The tokens of a question are of the same kind as those of the texts."""
        for text in ("turbine valve", CHINESE, "年假"):
            assert set(analyser.query_tokens(text)) & set(analyser.tokens(text))

    def test_the_same_text_has_the_same_tokens(self, analyser: Analyser) -> None:
        """Whatever was analysed before it, and from however many threads."""
        expected = [analyser.tokens(text) for text in TEXTS]
        assert [analyser.tokens(text) for text in reversed(TEXTS)] == expected[::-1]
        assert all(found == expected for found in at_once(lambda: [analyser.tokens(text) for text in TEXTS]))

    def test_fingerprint_is_one_line_and_stays(self, analyser: Analyser) -> None:
        """An index is rebuilt when the fingerprint changes."""
        before = analyser.fingerprint
        analyser.tokens(ENGLISH)
        assert analyser.fingerprint == before
        assert before
        assert before.isprintable()
