"""What penstock.toml may say of collections, which messages explain errors in it, and which setting wins."""

from datetime import timedelta
from pathlib import Path

import pytest

from penstock.errors import SettingsError
from penstock.settings import origins, read_settings

HANDBOOK = """
removal_share = 0.4
[chunker]
name = "window"
[collections.handbook]
sources = [
  { path = "./handbook", include = ["*.pdf"], labels = { team = "hr", floor = 3 }, access = ["staff"] },
  { urls = ["https://example.org/a"] }, { url_list = "links.txt" }, { sitemap = "https://example.org/sitemap.xml" },
]
schedule = { cron = "0 3 * * *", timezone = "Asia/Shanghai" }
failure_share = 0.2
[collections.handbook.chunker]
size = 64
[collections.handbook.retrieval]
k = 3
[collections."手册"]
sources = [{ path = "~/handbook" }]
schedule = { every = "1h30m" }
"""


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENSTOCK_TRUST", str(tmp_path / "penstock.toml"))


def write(text: str) -> None:
    Path("penstock.toml").write_text(text, "utf-8")


def test_a_collection_is_described(tmp_path: Path) -> None:
    write(HANDBOOK)
    described = read_settings().collections
    folder, urls, url_list, sitemap = described["handbook"].sources
    assert (folder.path, folder.include, folder.exclude) == (tmp_path / "handbook", ("*.pdf",), None)
    assert (folder.labels, folder.access) == ({"team": "hr", "floor": 3}, ("staff",))
    assert urls.access is None
    assert urls.urls == ("https://example.org/a",)
    assert url_list.url_list == str(tmp_path / "links.txt")
    assert sitemap.sitemap == "https://example.org/sitemap.xml"
    assert [entry.named for entry in (urls, sitemap)] == ["https://example.org/a", "https://example.org/sitemap.xml"]
    schedules = [described[name].schedule for name in ("handbook", "手册")]
    assert all(schedules)
    assert [(schedule.cron, schedule.timezone, schedule.every) for schedule in schedules if schedule] == [
        ("0 3 * * *", "Asia/Shanghai", None),
        ("", "UTC", timedelta(minutes=90)),
    ]
    assert described["手册"].sources[0].path == Path("~/handbook").expanduser()


def test_what_is_set_for_a_collection_holds_for_it_alone() -> None:
    write(HANDBOOK)
    plain = read_settings()
    own = plain.for_collection("handbook")
    assert (own.collection, own.failure_share, own.removal_share) == ("handbook", 0.2, 0.4)
    assert (own.chunker.name, own.chunker.size, own.retrieval.k) == ("window", 64, 3)
    assert own.for_collection("handbook") is own
    for settings in (plain, own.for_collection("default"), own.for_collection("手册")):
        assert (settings.failure_share, settings.chunker.size, settings.retrieval.k) == (0.5, None, 10)


def test_the_command_line_and_the_environment_win_over_the_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    write(HANDBOOK)
    monkeypatch.setenv("PENSTOCK_RETRIEVAL__K", "5")
    own = read_settings(chunker={"size": 32}, failure_share=0.9).for_collection("handbook")
    assert (own.retrieval.k, own.chunker.size, own.chunker.name, own.failure_share) == (5, 32, "window", 0.9)


def test_what_a_caller_changed_stays_when_it_goes_on_to_another_collection() -> None:
    write(HANDBOOK)
    own = read_settings().for_collection("handbook").model_copy(update={"batch": 7})
    assert own.for_collection("default").batch == 7
    assert own.for_collection("default").retrieval.k == 10


def test_origins_name_the_collection() -> None:
    write(HANDBOOK)
    found = origins(collection="handbook", retrieval={"k": 4})
    assert found["chunker.size"] == "penstock.toml, collection handbook"
    assert found["chunker.name"] == "penstock.toml"
    assert found["retrieval.k"] == "command line"
    assert found["retrieval.rrf_k"] == "default"
    assert found["collections.handbook.sources"] == "penstock.toml"
    assert origins()["chunker.size"] == "default"


def test_a_part_of_a_description_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    write(HANDBOOK)
    monkeypatch.setenv("PENSTOCK_COLLECTIONS__HANDBOOK__BATCH", "7")
    assert read_settings().for_collection("handbook").batch == 7
    assert read_settings().for_collection("handbook").chunker.size == 64


@pytest.mark.parametrize(
    ("access", "fits"), [("", True), (", access = ['staff']", True), (", access = []", False)], ids=str
)
def test_entries_that_name_different_readers_for_a_folder(access: str, fits: bool) -> None:
    write(f"[collections.h]\nsources = [{{ path = 'x', access = ['staff'] }}, {{ path = 'x/y'{access} }}]")
    if fits:
        assert len(read_settings().collections["h"].sources) == 2
    else:
        with pytest.raises(SettingsError, match=r"entry 1 .*, for 'staff', and entry 2 .*, for everybody"):
            read_settings()


@pytest.mark.parametrize("name", ["a b", "", "x" * 51, "-x", "a/b"])
def test_a_name_that_no_collection_can_have(name: str) -> None:
    with pytest.raises(SettingsError):
        read_settings().for_collection(name)


def entry(text: str) -> str:
    return f"[collections.h]\nsources = [{{ path = 'x' }}, {{ {text} }}]"


def schedule(text: str) -> str:
    return f"[collections.h]\nsources = [{{ path = 'x' }}]\nschedule = {{ {text} }}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[collections.h]\nbatch = 3", "collections.h.sources: Field required", id="no sources"),
        pytest.param("[collections.h]\nsources = []", "collections.h.sources: a collection has at", id="empty"),
        pytest.param("[collections.h]\nsorces = []", "'collections.h.sorces' (did you mean 'sources'?)", id="misspelt"),
        pytest.param("[collections.h.chunkr]\nsize = 3", "(did you mean 'chunker'?)", id="misspelt group"),
        pytest.param("[collections.h.chunker]\nsiz = 3", "(did you mean 'size'?)", id="misspelt setting"),
        pytest.param("[colections.h]\nx = 3", "(did you mean 'collections'?)", id="misspelt collections"),
        pytest.param("[collections.'a b']\nsources = [{ path = 'x' }]", "collections.a b.[key]", id="name"),
        pytest.param("[collections.h.chunker]\nsize = 0", "collections.h.chunker.size", id="value"),
        pytest.param(entry("pth = 'x'"), "'collections.h.sources.2.pth' (did you mean 'path'?)", id="misspelt entry"),
        pytest.param(entry(""), "collections.h.sources.2: an entry has exactly one of", id="entry of nothing"),
        pytest.param(entry("path = 'x', sitemap = 'https://x'"), "this one has path and sitemap", id="two kinds"),
        pytest.param(entry("urls = ['https://x'], include = ['*']"), "choose files of a path", id="patterns of urls"),
        pytest.param(entry("urls = ['https://x', 'ftp://x']"), "sources.2.urls.2: 'ftp://x' is no web", id="scheme"),
        pytest.param(entry("urls = ['https://']"), "no web address", id="no host"),
        pytest.param(entry("urls = ['https://[x']"), "sources.2.urls.1", id="broken host"),
        pytest.param(entry("sitemap = 'https://me:pass@x/'"), "user name or password", id="password"),
        pytest.param(entry("url_list = 'https://'"), "no web address", id="list without host"),
        pytest.param(entry("path = 'x', labels = { a = true }"), "labels.a: a label is a text or", id="label"),
        pytest.param(schedule("cron = '0 3 * *'"), "collections.h.schedule: '0 3 * *' has 4 fields", id="cron"),
        pytest.param(schedule("every = '5 minutes'"), "collections.h.schedule.every: '5 minutes' is no", id="every"),
        pytest.param(schedule("cron = '0 3 * * *', every = '1h'"), "either cron or every", id="both"),
        pytest.param(schedule("timezone = 'UTC'"), "either cron or every", id="neither"),
        pytest.param(schedule("every = '1h', timezone = 'UTC'"), "timezone goes with cron", id="zone without cron"),
        pytest.param(schedule("cron = '0 3 * * *', timezone = 'Mars'"), "no time zone 'Mars'", id="zone"),
        pytest.param(schedule("evry = '1h'"), "(did you mean 'every'?)", id="misspelt schedule"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_reported_with_its_place(text: str, message: str) -> None:
    write(text)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert message in str(caught.value)
    assert "Value error" not in str(caught.value)
    assert "me:pass" not in str(caught.value)
