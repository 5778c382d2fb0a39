"""Our doubles are parts like others: they keep the contracts of their ports."""

import pytest

from penstock.ports import LLM, Embedder, Reranker, TokenCounter
from penstock.testing.contracts.counters import TokenCounterContract
from penstock.testing.contracts.embedders import EmbedderContract
from penstock.testing.contracts.llms import LLMContract, ScriptedLLM
from penstock.testing.contracts.rerankers import RerankerContract
from penstock.testing.doubles.counting import WordCounter
from penstock.testing.doubles.embedders import LittleModel
from penstock.testing.doubles.rerankers import OverlapReranker


class TestWordCounter(TokenCounterContract):
    @pytest.fixture
    def counter(self) -> TokenCounter:
        return WordCounter()


class TestLittleModel(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return LittleModel()


class TestScriptedLLM(LLMContract):
    @pytest.fixture
    def llm(self) -> LLM:
        return ScriptedLLM(*["Hello there."] * 40)


class TestOverlapReranker(RerankerContract):
    @pytest.fixture
    def reranker(self) -> Reranker:
        return OverlapReranker()
