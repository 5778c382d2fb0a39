"""`Penstock` beside ingesting: prompts, answers, doctor, status, and all of them as the plain values of `--json`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from penstock.catalog import Batch
from penstock.errors import MissingKey, ModelNotFound, SettingsError, UnknownName, UsageError
from penstock.model import Answer, Change, Filter, Place
from penstock.pipelines import assembly
from penstock.pipelines.indexing.doctor import SHOWN, IndexProblem
from penstock.pipelines.ingest.records import Record
from penstock.pipelines.reporting import reports
from penstock.pipelines.workspace import Penstock
from penstock.settings import LLMSettings, read_settings
from penstock.testing.doubles.embedders import LittleModel

QUESTION = "How many days of leave carry over?"


def plain(value: object) -> bool:
    """Whether a value is the same after a round trip through JSON."""
    return bool(json.loads(json.dumps(value)) == value)


def test_a_search_as_plain_values(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    found = reports.retrieved(penstock.search("carry over", k=1, neighbours=1))
    assert plain(found)
    (hit,) = found["hits"]
    assert {"chunk_id", "document_id", "uri", "title", "score", "text", "span", "headings", "places", "trace"} <= set(
        hit
    )
    assert hit["uri"].endswith("leave.md")
    assert hit["trace"]["ranks"]["keyword"] == 1


def test_an_answer_quotes_its_sources(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    given = penstock.ask(QUESTION)
    assert not given.refused
    assert "carry over into the next year" in given.text
    report = reports.answer(given)
    assert plain(report)
    for citation in report["citations"]:
        assert citation["quote"] in Path(folder, "leave.md").read_text("utf-8")
        assert citation["uri"].endswith("leave.md")
    *pieces, last = penstock.ask_streaming(QUESTION)
    assert isinstance(last, Answer)
    assert (
        "".join(piece for piece in pieces if isinstance(piece, str)).strip() == last.text.strip() == given.text.strip()
    )


def test_a_prompt_is_told_and_sent_nowhere(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    report = reports.prompt(penstock.prompt(QUESTION, where=Filter(sources=("*leave.md",))))
    assert plain(report)
    assert report["messages"][-1]["content"].endswith(f"Question: {QUESTION}")
    assert len(report["passages"]) == 1
    assert report["left_out"] == []


def test_status_and_collections_count_what_is_there(penstock: Penstock, folder: Path) -> None:
    (folder / "locked.pdf").write_bytes(b"%PDF-1.7 cut off")
    penstock.ingest(folder)
    report = reports.status(penstock.status())
    assert plain(report)
    assert (report["sources"], report["chunks"]) == ({"indexed": 2}, {"catalog": 2, "keyword": 2, "vector": 2})
    assert [Path(failed["uri"]).name for failed in report["quarantine"]] == ["locked.pdf"]
    assert (report["last_run"]["command"], report["last_run"]["status"]) == ("ingest", "finished")
    (listed,) = [reports.collection(info) for info in penstock.collections()]
    assert plain(listed)
    assert (listed["name"], listed["documents"], listed["chunks"]) == ("default", 2, 2)


def test_a_document_is_shown_by_id_beginning_of_id_uri_and_path(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    hit = penstock.search("carry over").hits[0]
    for name in (hit.chunk.document_id, hit.chunk.document_id[:9], hit.source.uri, str(folder / "leave.md")):
        assert penstock.show(name).document.id == hit.chunk.document_id
    report = reports.document(penstock.show(hit.source.uri))
    assert plain(report)
    assert [report["text"][slice(*chunk["span"])] for chunk in report["chunks"]] == [
        chunk["text"] for chunk in report["chunks"]
    ]
    with pytest.raises(UnknownName, match=r"no document named 'nothing'; known: .*leave\.md"):
        penstock.show("nothing")


def test_a_report_adds_up_as_plain_values(penstock: Penstock, folder: Path) -> None:
    report = reports.run_report(penstock.ingest(folder, labels={"team": "hr"}, access=["hr"]))
    assert plain(report)
    outcomes = ("indexed", "unchanged", "empty", "partial", "skipped", "failed")
    assert report["discovered"] == sum(report[outcome] for outcome in outcomes) == len(report["sources"]) == 2
    assert set(report["stage_seconds"]) >= {"discover", "fetch", "parse", "embed", "commit", "follow"}
    source = reports.source(penstock.show(report["sources"][0]["uri"]).document.source)
    assert (source["labels"], source["access"]) == ({"team": "hr"}, ["hr"])
    assert reports.place(Place(page=3)) == {"page": 3, "box": None, "label": ""}


def test_doctor_names_what_is_missing_and_what_is_left_over_and_repairs_it(penstock: Penstock, folder: Path) -> None:
    for number in range(SHOWN + 2):
        (folder / f"{number}.txt").write_text(f"paper {number} about leave", "utf-8")
    penstock.ingest(folder)
    followers = penstock._followers
    rows = penstock.collection.live_rows()
    revision = penstock.collection.revision()
    change = penstock.collection.change(0, vectors=True)
    moved = [entry for entry in change.added if entry.row != rows[0]]
    followers.keyword.replacement().apply(Change(since=0, revision=revision, removed=(), added=iter(moved[:1])))
    followers.keyword.put_in_place()
    extra = [*penstock.collection.change(0, vectors=True).added]
    left_over = replace(extra[0], row=int(rows.max()) + 10)
    followers.vector.replacement().apply(
        Change(since=0, revision=revision, removed=(), added=iter([*extra, left_over]))
    )
    followers.vector.put_in_place()
    found = penstock.doctor()
    assert plain(reports.diagnosis(found))
    assert [(problem.where, problem.what) for problem in found.problems] == [
        ("keyword", "missing"),
        ("vector", "surplus"),
    ]
    missing, _ = found.problems
    assert len(missing.chunk_ids) == SHOWN
    assert missing.message.startswith(f"{len(rows) - 1} chunks are not in the keyword index")
    assert missing.message.endswith(", ...)")
    assert penstock.doctor(repair=True).ok


def test_doctor_tells_of_an_index_that_cannot_be_read(penstock: Penstock, folder: Path, home: Path) -> None:
    penstock.ingest(folder)
    penstock.close()
    for manifest in home.rglob("manifest.json"):
        manifest.write_text("{")
    found = penstock.doctor()
    assert [(problem.where, problem.what) for problem in found.problems] == [
        ("keyword", "damaged"),
        ("vector", "damaged"),
    ]
    assert penstock.doctor(repair=True).ok


def test_status_and_doctor_look_at_what_was_built_whichever_model_is_set_now(
    penstock: Penstock, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(folder)
    gone = {"name": "onnx", "model": "/gone", "options": {}}
    with Penstock(settings=read_settings(home=home, embedder=gone)) as second:
        status = second.status()
        assert (status.chunks.catalog, status.chunks.vector, status.vector_revision) == (2, 2, status.revision)
        assert second.doctor().ok
        assert second.doctor(repair=True).ok
        with pytest.raises(ModelNotFound):
            second.search("leave")


def test_doctor_tells_of_texts_without_a_vector(
    penstock: Penstock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    penstock.ingest(folder)
    missing = iter([("hash", "text")])
    monkeypatch.setattr(type(penstock.collection), "missing_vectors", lambda *_: missing)
    (problem,) = penstock.doctor().problems
    assert isinstance(problem, IndexProblem)
    assert (problem.where, problem.what) == ("catalog", "unembedded")
    assert problem.message.startswith("1 texts have no stored vector")


@pytest.mark.parametrize("legs", ["keyword", "vector"])
def test_one_leg_alone(penstock: Penstock, folder: Path, legs: str) -> None:
    penstock.ingest(folder)
    settings = read_settings(home=penstock.settings.home, retrieval={"legs": legs, "fusion": "rrf"})
    with Penstock(settings=settings) as alone:
        hit = alone.search("leave carry over").hits[0]
    assert set(hit.trace.ranks) == {legs}


@pytest.mark.parametrize("chunker", ["window", "sentence"])
def test_other_chunkers(model: LittleModel, folder: Path, home: Path, chunker: str) -> None:
    given = {"name": chunker, "size": 16, **({"overlap": 2} if chunker == "window" else {})}
    with Penstock(settings=read_settings(home=home, chunker=given), embedder=model) as penstock:
        report = penstock.ingest(folder)
        assert report.count("indexed") == 2
        assert penstock.doctor().ok
        assert len(model.embedded) == report.embedded > 0


def test_searching_what_is_not_there_says_what_is(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    with pytest.raises(UsageError, match="blank"):
        penstock.search(" \n")
    second = Penstock(penstock.settings.home, "handbok")
    with pytest.raises(UnknownName, match="no collection named 'handbok'; known: 'default'"):
        second.search("leave")
    second.close()


def test_a_server_without_its_key_is_told_before_anything_is_sent(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    settings = read_settings(home=penstock.settings.home, llm={"name": "openai", "preset": "deepseek", "model": "m"})
    with Penstock(settings=settings) as asking, pytest.raises(MissingKey, match="DEEPSEEK_API_KEY"):
        asking.ask(QUESTION)


def test_tokens_are_counted_with_the_models_own_tokenizer_where_it_is_given(
    penstock: Penstock, folder: Path, tmp_path: Path
) -> None:
    penstock.ingest(folder)
    words = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    llm = {"name": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "any"}
    estimated = Penstock(settings=penstock.settings.model_copy(update={"llm": LLMSettings(**llm)}))
    exact = LLMSettings(**llm, tokenizer=tmp_path / "tokenizer.json")
    counted = Penstock(settings=penstock.settings.model_copy(update={"llm": exact}))
    with estimated, counted:
        assert 0 < counted.prompt(QUESTION).tokens < estimated.prompt(QUESTION).tokens


def test_the_default_embedder_gives_unit_vectors(home: Path) -> None:
    made = assembly.embedder(read_settings(home=home))
    assert made.dimension == 384
    assert np.isclose(np.linalg.norm(made.embed(["leave"], role="query")), 1, atol=1e-5)


def test_a_name_given_beside_settings_is_looked_at_too(home: Path) -> None:
    assert Penstock(home, "年假", settings=read_settings(batch=3)).settings.batch == 3
    with pytest.raises(SettingsError, match="collection"):
        Penstock(home, "../elsewhere", settings=read_settings())


def test_an_empty_batch_changes_nothing(penstock: Penstock, folder: Path) -> None:
    penstock.ingest(folder)
    before = penstock.collection.revision()
    assert penstock.collection.commit(Batch(puts=(), removed=()), run=None, embedder="x") == before


def test_half_a_surrogate_pair_costs_a_character_and_no_document(penstock: Penstock) -> None:
    report = penstock.add([Record(uri="note:1", text="the lower \ud83d gate opens"), Record(uri="note:2", text="pump")])
    assert [result.outcome for result in report.results] == ["indexed", "indexed"]
    assert penstock.search("gate", k=1).hits[0].chunk.text == "the lower \ufffd gate opens"


def test_a_collection_without_text_is_well(penstock: Penstock, folder: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text("\n", "utf-8")
    assert penstock.ingest(tmp_path / "empty.md").count("empty") == 1
    assert (penstock.status().chunks.vector, penstock.doctor().problems) == (0, ())
    penstock.ingest(folder)
    penstock.remove(folder)
    for dimension in (12, 64):  # and where its model changes while it is empty
        with Penstock(home, embedder=LittleModel(dimension=dimension)) as second:
            second.ingest(tmp_path / "empty.md")
            assert (second.status().embedder, second.doctor().problems) == (f"hash/{dimension}/float32", ())
