"""What a user sees of syncing: the collection is what penstock.toml says, and what cannot be listed is not removed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import UnknownName
from penstock.model import Filter, RunReport
from penstock.pipelines.stepwise import Stepwise
from penstock.pipelines.workspace import Penstock
from penstock.settings import Settings, read_settings
from penstock.testing.doubles.embedders import LittleModel
from penstock.testing.doubles.website import Website

TEXT = "<html><body><article><h1>Guide</h1><p>Page {} says when the gates of the upper pond are opened.</p></article>"
NOBODY, STAFF = Filter(principals=frozenset()), Filter(principals=frozenset(["staff"]))
OLD = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def site(model: LittleModel) -> Iterator[Website]:
    with Website() as opened:
        yield opened


def settings_of(*sources: dict[str, Any], **own: Any) -> Settings:
    return read_settings(
        collections={"guides": {"sources": list(sources), **own}},
        web={"allow_private": True, "robots": False, "pause_seconds": 0},
    )


def sync(*sources: dict[str, Any], **own: Any) -> RunReport:
    with Penstock(collection="guides", settings=settings_of(*sources, **own)) as penstock:
        report = penstock.sync()
        counts = report.chunks
        assert counts.catalog == counts.keyword == counts.vector
        return report


def outcomes(report: RunReport) -> dict[str, str]:
    return {result.uri.rsplit("/", 1)[-1]: result.outcome for result in report.results}


def write_pages(site: Website, *names: str) -> None:
    for name in names:
        site.pages[f"/{name}"] = TEXT.format(name)
        site.headers[f"/{name}"] = {"Content-Type": "text/html"}


def write_sitemap(site: Website, dates: dict[str, str]) -> str:
    entries = (f"<url><loc>{site.url(f'/{name}')}</loc><lastmod>{at}</lastmod></url>" for name, at in dates.items())
    site.pages["/sitemap.xml"] = f"<urlset>{''.join(entries)}</urlset>"
    return site.url("/sitemap.xml")


def test_access_is_narrowed_also_while_a_page_cannot_be_read(site: Website) -> None:
    write_pages(site, "gone.html", "broken.html")
    urls = [site.url("/gone.html"), site.url("/broken.html")]
    sync({"urls": urls})
    del site.pages["/gone.html"]
    site.pages["/broken.html"] = "%PDF-1.7 nothing else"
    site.headers["/broken.html"] = {"Content-Type": "application/pdf"}
    assert outcomes(sync({"urls": urls})) == {"gone.html": "failed", "broken.html": "failed"}
    for _ in range(2):
        assert outcomes(sync({"urls": urls, "access": ["staff"]})) == {"gone.html": "failed", "broken.html": "failed"}
        with Penstock(collection="guides", settings=settings_of({"urls": urls})) as penstock:
            seen = {
                who: {hit.source.uri for hit in penstock.search("upper pond gates", where=where).hits}
                for who, where in (("nobody", NOBODY), ("staff", STAFF))
            }
            assert seen == {"nobody": set(), "staff": set(urls)}
            assert [failed.source.uri for failed in penstock.collection.quarantine()] == urls[1:]
            assert penstock.doctor().ok


def test_folders_lists_and_sitemaps_make_one_collection(site: Website, folder: Path, tmp_path: Path) -> None:
    write_pages(site, "a.html", "b.html", "c.html")
    links = tmp_path / "links.txt"
    links.write_text(site.url("/b.html"), "utf-8")
    sources = (
        {"path": str(folder), "include": ["*.md"]},
        {"urls": [site.url("/a.html")]},
        {"url_list": str(links)},
        {"sitemap": write_sitemap(site, {"c.html": "2026-01-01", "b.html": "2026-01-01"})},
    )
    report = sync(*sources)
    assert outcomes(report) == dict.fromkeys(("leave.md", "a.html", "b.html", "c.html"), "indexed")
    again = sync(*sources)
    assert outcomes(again) == dict.fromkeys(("leave.md", "a.html", "b.html", "c.html"), "unchanged")
    assert again.revision <= report.revision + 1  # b.html is dated by its sitemap only where that is what lists it
    assert (again.parsed, again.embedded) == (0, 0)


def test_pages_that_a_sitemap_says_are_unchanged_are_not_asked_for(site: Website) -> None:
    write_pages(site, "a.html", "b.html")
    entry = {"sitemap": write_sitemap(site, {"a.html": "2026-03-01T00:00:00Z", "b.html": "2026-03-01"})}
    sync(entry)
    site.asked.clear()
    assert outcomes(sync(entry)) == {"a.html": "unchanged", "b.html": "unchanged"}
    assert site.asked == ["/sitemap.xml"]
    site.pages["/a.html"] = TEXT.format("another")
    write_sitemap(site, {"a.html": "2026-03-02T00:00:00Z", "b.html": "2026-03-01"})
    assert outcomes(sync(entry)) == {"a.html": "indexed", "b.html": "unchanged"}
    with Penstock(collection="guides") as penstock:
        found = penstock.search("gates", where=Filter(modified_from=OLD + timedelta(hours=1)))
        assert [hit.source.uri for hit in found.hits] == [site.url("/a.html")]


def test_a_page_that_has_a_new_date_and_the_same_tag_costs_one_question(site: Website) -> None:
    write_pages(site, "a.html")
    site.headers["/a.html"]["ETag"] = '"1"'
    entry = {"sitemap": write_sitemap(site, {"a.html": "2026-03-01T00:00:00Z"})}
    sync(entry)
    write_sitemap(site, {"a.html": "2026-03-02T00:00:00Z"})
    report = sync(entry)
    assert (outcomes(report), report.parsed) == ({"a.html": "unchanged"}, 0)
    site.asked.clear()
    sync(entry)
    assert site.asked == ["/sitemap.xml"]


def test_what_left_a_list_a_sitemap_or_penstock_toml_is_removed(site: Website, folder: Path, tmp_path: Path) -> None:
    write_pages(site, "a.html", "b.html", "c.html", "d.html")
    links = tmp_path / "links.txt"
    links.write_text(f"{site.url('/a.html')}\n{site.url('/b.html')}\n", "utf-8")
    entry, listed = {"path": str(folder)}, {"url_list": str(links)}
    mapped = {"sitemap": write_sitemap(site, {"c.html": "2026-01-01", "d.html": "2026-01-01"})}
    sync(entry, listed, mapped)
    links.write_text(site.url("/a.html"), "utf-8")
    write_sitemap(site, {"c.html": "2026-01-01"})
    report = sync(entry, listed, mapped)
    assert {name for name, outcome in outcomes(report).items() if outcome == "removed"} == {"b.html", "d.html"}
    report = sync(entry)
    assert {name for name, outcome in outcomes(report).items() if outcome == "removed"} == {"a.html", "c.html"}
    with Penstock(collection="guides") as penstock:
        assert not any(hit.source.uri.startswith("http") for hit in penstock.search("gates of the upper pond").hits)
        assert penstock.doctor().ok


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"path": "nowhere"}, id="a folder that is not mounted"),
        pytest.param({"url_list": "nowhere.txt"}, id="a list that is gone"),
        pytest.param({"url_list": "broken.txt"}, id="a list with a broken line"),
        pytest.param({"sitemap": "http://127.0.0.1:9/sitemap.xml"}, id="a site that is down"),
        pytest.param({"path": "linked"}, id="a link that leads nowhere"),
    ],
)
def test_an_incomplete_listing_removes_nothing_that_it_might_have_listed(
    site: Website, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_pages(site, "a.html", "b.html")
    entries = {"path": str(folder)}, {"urls": [site.url("/a.html"), site.url("/b.html")]}
    sync(*entries)
    (tmp_path / "broken.txt").write_text("not an address", "utf-8")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "share").symlink_to(tmp_path / "linked" / "unmounted")
    (folder / "leave.md").unlink()
    report = sync(entries[0], broken)
    assert report.count("failed") == 1
    assert {name for name, outcome in outcomes(report).items() if outcome == "removed"} == {"leave.md"}
    assert "stay" in report.attention[0]
    assert report.chunks.catalog == 3
    report = sync(entries[0])
    assert {name for name, outcome in outcomes(report).items() if outcome == "removed"} == {"a.html", "b.html"}


def test_an_incomplete_listing_spares_what_another_speaks_for(site: Website, folder: Path) -> None:
    entries = {"path": str(folder)}, {"path": str(folder / "extra")}
    (folder / "extra").mkdir()
    (folder / "extra" / "note.txt").write_text("a note", "utf-8")
    assert sync(*entries).count("indexed") == 3
    (folder / "extra" / "note.txt").unlink()
    (folder / "extra").rmdir()
    assert sync(*entries).count("removed") == 0
    assert sync(entries[0]).count("removed") == 1


def test_labels_and_access_are_those_of_the_first_entry_that_lists_a_source(folder: Path, site: Website) -> None:
    hr = {"path": str(folder), "include": ["*.md"], "labels": {"team": "hr"}, "access": ["staff"]}
    rest = {"path": str(folder), "labels": {"team": "all"}, "access": []}
    sync(hr, rest, overlap="first")
    with Penstock(collection="guides") as penstock:
        assert len(penstock.search("leave", where=Filter(labels={"team": "hr"})).hits) == 1
        assert len(penstock.search("leave 年假", where=Filter(principals=frozenset())).hits) == 1
    report = sync(rest)
    assert (report.parsed, report.count("removed")) == (0, 0)
    with Penstock(collection="guides") as penstock:
        found = penstock.search("leave 年假", where=Filter(labels={"team": "all"}, principals=frozenset()))
        assert len(found.hits) == 2


def test_new_pages_of_a_list_or_sitemap_have_the_readers_that_it_was_last_given(site: Website, tmp_path: Path) -> None:
    links = tmp_path / "links.txt"
    write_pages(site, *"abcd")
    for name, dates in (("a", {"b": "2026-01-01"}), ("c", {"b": "2026-01-01", "d": "2026-01-01"})):
        links.write_text(site.url(f"/{name}"), "utf-8")
        entries = {"url_list": str(links)}, {"sitemap": write_sitemap(site, dates)}
        given = {"access": ["staff"]} if name == "a" else {}
        assert sync(*(entry | given for entry in entries)).attention == ()
    with Penstock(collection="guides") as penstock:
        access = {known.source.uri[-1]: known.source.access for known in penstock.collection.sources()}
    assert access == dict.fromkeys("bcd", frozenset({"staff"}))


def test_what_was_added_by_hand_goes(folder: Path, tmp_path: Path, site: Website) -> None:
    sync({"path": str(folder)})
    (tmp_path / "note.txt").write_text("a note", "utf-8")
    with Penstock(collection="guides") as penstock:
        penstock.ingest(tmp_path / "note.txt")
    assert sync({"path": str(folder)}).count("removed") == 1


def test_the_guard_and_its_share_for_one_collection(folder: Path, tmp_path: Path, site: Website) -> None:
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"paper {number} about leave", "utf-8")
    sync({"path": str(folder)})
    entry = {"path": str(tmp_path / "other")}
    (tmp_path / "other").mkdir()
    stopped = sync(entry)
    assert (stopped.count("removed"), "32 of 32" in stopped.attention[0]) == (0, True)
    assert sync(entry, removal_share=1.0).count("removed") == 32


def test_too_many_failures_fail_the_run(folder: Path, site: Website) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing else")
    assert sync({"path": str(folder)}).failure == ""
    assert "1 of 3 sources failed, more than the 20%" in sync({"path": str(folder)}, failure_share=0.2).failure
    with Penstock(collection="guides") as penstock:
        last = penstock.status().last_run
        assert last
        assert (last.command, last.status) == ("sync", "failed")
    assert sync({"path": str(folder), "include": ["*.pdf"]}).failure == "nothing could be read"


def test_other_commands_use_what_is_set_for_the_collection(folder: Path, site: Website) -> None:
    settings = settings_of({"path": str(folder)}, retrieval={"k": 1}, folders={"exclude": ["*.txt"]})
    with Penstock(collection="guides", settings=settings) as penstock:
        assert penstock.sync().count("indexed") == 1
        assert penstock.ingest(folder).count("unchanged") == 1
        assert len(penstock.search("leave").hits) == 1
    with Penstock(settings=settings) as penstock:
        assert penstock.ingest(folder).count("indexed") == 2
        assert len(penstock.search("leave 年假").hits) == 2


def test_a_collection_that_is_not_described(model: LittleModel) -> None:
    with Penstock(collection="nope") as penstock, pytest.raises(UnknownName, match=r"penstock\.toml"):
        penstock.sync()


def test_a_plan_writes_nothing_and_tells_what_a_sync_would_do(folder: Path, home: Path, site: Website) -> None:
    entry = {"path": str(folder)}
    with Stepwise(collection="guides", settings=settings_of(entry)) as penstock:
        plan = penstock.plan()
        assert [found.listed.uri.rsplit("/", 1)[-1] for found in plan.new] == ["leave.md", "年假.txt"]
        assert not home.exists()
    sync(entry)
    (folder / "leave.md").write_text("Nothing carries over.", "utf-8")
    (folder / "new.txt").write_text("a new note", "utf-8")
    (folder / "年假.txt").unlink()
    (folder / "same.txt").write_text("年假", "utf-8")
    with Stepwise(collection="guides", settings=settings_of(entry)) as penstock:
        before = penstock.status()
        plan = penstock.plan()
        assert {uri.rsplit("/", 1)[-1] for uri in plan.changed} == {"leave.md"}
        assert len(plan.new) == 2
        assert [uri.rsplit("/", 1)[-1] for uri in plan.removal.uris] == ["年假.txt"]
        assert penstock.status() == before
