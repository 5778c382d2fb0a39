"""Sources read without a collection: each is reported once, whatever its outcome."""

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.errors import FetchError
from penstock.loaders import uri_of
from penstock.model import Failure
from penstock.pipelines import assembly
from penstock.pipelines.extracting import Extracted, extract
from penstock.settings import read_settings


def read(*addresses: str | Path, **settings: object) -> list[Extracted]:
    return list(extract(read_settings(**settings), *addresses))


def outcomes(found: list[Extracted]) -> dict[str, str]:
    return {extracted.result.uri.rpartition("/")[2]: extracted.result.outcome for extracted in found}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    for number in range(12):
        (documents / f"{number:02}.txt").write_text(f"Page {number} tells of water.\n", "utf-8")
    return documents


def test_every_source_ends_in_one_outcome(folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    (folder / "empty.md").write_text("\n", "utf-8")
    (folder / "odd.bin").write_bytes(bytes(range(256)) * 8)
    found = read(folder, limits={"workers": 2})
    assert outcomes(found) == {f"{number:02}.txt": "indexed" for number in range(12)} | {
        "broken.pdf": "failed",
        "empty.md": "empty",
        "odd.bin": "skipped",
    }
    assert [extracted.result.uri for extracted in found] == sorted(extracted.result.uri for extracted in found)
    assert [extracted.document is None for extracted in found] == [
        extracted.result.outcome != "indexed" for extracted in found
    ]
    assert all(extracted.result.reason for extracted in found if extracted.document is None)


def test_addresses_that_overlap_are_read_once(folder: Path) -> None:
    assert len(read(folder, folder / "00.txt", folder)) == 12


def test_a_document_is_cleaned_and_has_its_own_id(folder: Path) -> None:
    (folder / "00.txt").write_text("Ｗater\u00a0and   pipes\u200b.\n", "utf-8")
    (extracted,) = read(folder / "00.txt")
    assert extracted.document
    assert extracted.document.text == "Ｗater and pipes."
    assert extracted.document.source.uri == uri_of(folder / "00.txt")
    assert read(folder / "00.txt")[0].document == extracted.document


def test_an_address_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no file or folder"):
        read(tmp_path / "nothing")


def test_what_cannot_be_fetched_is_a_failure() -> None:
    (extracted,) = read("http://127.0.0.1:9/page.html")
    assert extracted.result.outcome == "failed"
    assert extracted.failure
    assert (extracted.failure.kind, extracted.failure.stage) == ("AddressRefused", "fetch")


def test_a_limit_that_is_exceeded_is_a_failure(folder: Path) -> None:
    (folder / "00.txt").write_text("water " * 300_000, "utf-8")
    (extracted,) = read(folder / "00.txt", limits={"source_mib": 1})
    assert extracted.failure
    assert extracted.failure.kind == "LimitExceeded"


def test_a_fault_of_ours_costs_one_source(folder: Path, cleaning: Callable[[str], None]) -> None:
    cleaning('if "Page 3 " in extraction.text: raise ZeroDivisionError("division by zero")')
    found = read(folder)
    assert [extracted.result.uri[-6:] for extracted in found if extracted.result.outcome == "failed"] == ["03.txt"]
    assert "a fault of Penstock" in found[3].result.reason


def test_what_is_read_in_part_says_so(folder: Path, cleaning: Callable[[str], None]) -> None:
    problem = 'Problem(message="cannot be drawn", page=2)'
    cleaning(
        f'extraction = Extraction(title="", text=extraction.text, blocks=extraction.blocks, problems=({problem},))'
    )
    (extracted,) = read(folder / "00.txt")
    assert extracted.document
    assert (extracted.result.outcome, extracted.result.reason) == ("partial", "page 2: cannot be drawn")


def test_a_folder_that_cannot_be_listed_is_told_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure(uri=uri_of(folder / "dark"), stage="discover", kind="FetchError", message="dark", retryable=False)

    class Lister:
        def list(self) -> list[Failure]:
            return [failure]

    monkeypatch.setattr(assembly, "lister", lambda *_: Lister())
    (extracted,) = read(folder)
    assert (extracted.result.outcome, extracted.failure) == ("failed", failure)


def test_stopping_early_leaves_nothing_running(folder: Path) -> None:
    reading = extract(read_settings(), folder)
    assert next(reading).document
    reading.close()
