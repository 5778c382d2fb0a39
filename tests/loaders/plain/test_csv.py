import pytest

from penstock.errors import BrokenSource
from penstock.loaders.plain import csv as module
from penstock.loaders.plain.csv import CsvLoader
from penstock.ports import Loader
from penstock.testing.contracts.loaders import LoaderContract, read


class TestContract(LoaderContract):
    @pytest.fixture
    def loader(self) -> Loader:
        return CsvLoader()

    @pytest.fixture
    def sample(self) -> bytes:
        return "姓名,天数\n王伟,10\nAnn,25\n".encode("gb18030")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("a,b\n1,2", "a | b\n1 | 2", id="commas"),
        pytest.param("a;b\n1,5;2", "a | b\n1,5 | 2", id="semicolons, decimal commas"),
        pytest.param("a\tb\n1\t2", "a | b\n1 | 2", id="tabs"),
        pytest.param("a|b\n1|2", "a | b\n1 | 2", id="bars"),
        pytest.param('a,b\n"x, y","line\nbreak"', "a | b\nx, y | line break", id="quotes"),
        pytest.param("one\ntwo", "one\ntwo", id="one column"),
        pytest.param("\ufeffa,b\r\n1,2\r\n", "a | b\n1 | 2", id="mark and Windows line ends"),
        pytest.param('"a,b\n1,2\n3,4\n', '"a | b\n1 | 2\n3 | 4', id="a quote that never ends"),
        pytest.param("", "", id="empty"),
        pytest.param(
            "first,second\n" + "1,2\n" * 50 + "3\0,4", "first | second\n" + "1 | 2\n" * 50 + "3 | 4", id="NUL"
        ),
    ],
)
def test_values_become_one_table(content: str, text: str) -> None:
    assert read(CsvLoader(), content.encode()).text == text


def test_a_monstrous_field_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FIELD_CHARACTERS", 10)
    with pytest.raises(BrokenSource, match="field"):
        read(CsvLoader(), b"a,b\n" + b"x" * 11 + b",y\n")
