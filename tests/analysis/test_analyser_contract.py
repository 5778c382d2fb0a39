from pathlib import Path

import pytest

from penstock.analysis.analyser import TextAnalyser
from penstock.ports import Analyser
from penstock.testing.contracts.analysers import AnalyserContract


class TestTextAnalyser(AnalyserContract):
    @pytest.fixture
    def analyser(self) -> Analyser:
        return TextAnalyser()


class TestWithWordsOfTheUser(AnalyserContract):
    @pytest.fixture
    def analyser(self, tmp_path: Path) -> Analyser:
        words, synonyms = tmp_path / "words.txt", tmp_path / "synonyms.txt"
        words.write_text("年假结转\n", "utf-8")
        synonyms.write_text("turbine, 水轮机\n", "utf-8")
        return TextAnalyser(user_dictionary=words, synonyms=synonyms)
