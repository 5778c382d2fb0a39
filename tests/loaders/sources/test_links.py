"""Links, special files and reads that hang: on the real file system, and on one that the kernel really waits for."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from penstock.errors import ExcludedSource, FetchError, SourceError, TransientFetchError
from penstock.loaders.sources.addresses import path_of, uri_of
from penstock.loaders.sources.files import FileLister, LocalFetcher
from penstock.loaders.sources.folders import FolderLister, Links
from penstock.loaders.sources.listing import lister_for
from penstock.model import Failure, Listed
from penstock.testing.doubles.dead_share import DeadShare

SECRET = "-----BEGIN OPENSSH PRIVATE KEY-----"
FETCHER = LocalFetcher(max_bytes=10_000)

needs_a_dead_share = pytest.mark.skipif(not DeadShare.is_possible(), reason="needs /dev/fuse and the super-user")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with a file, a link to it, a link to a file elsewhere, and one to a folder elsewhere."""
    root, elsewhere = tmp_path / "docs", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    (root / "real.txt").write_text("real")
    (elsewhere / "id_rsa").write_text(SECRET)
    (root / "alias.txt").symlink_to("real.txt")
    (root / "notes.txt").symlink_to(elsewhere / "id_rsa")
    (root / "shared").symlink_to(elsewhere)
    return root


def listing(lister: FolderLister) -> tuple[list[str], dict[str, Failure]]:
    found = list(lister.list())
    names = [path_of(listed.uri).name for listed in found if isinstance(listed, Listed)]
    return names, {path_of(failure.uri).name: failure for failure in found if isinstance(failure, Failure)}


@pytest.mark.parametrize(
    ("links", "listed", "left_out"),
    [
        pytest.param("inside", ["alias.txt", "real.txt"], {"notes.txt", "shared"}, id="inside"),
        pytest.param("all", ["alias.txt", "notes.txt", "real.txt", "id_rsa"], set(), id="all"),
        pytest.param("none", ["real.txt"], {"alias.txt", "notes.txt", "shared"}, id="none"),
    ],
)
def test_which_links_are_followed(docs: Path, links: Links, listed: list[str], left_out: set[str]) -> None:
    lister = FolderLister(docs, links=links)
    names, failures = listing(lister)
    assert names == listed
    assert set(failures) == left_out
    assert {failure.kind for failure in failures.values()} <= {"ExcludedSource"}
    assert all("folders.links" in failure.message for failure in failures.values())
    assert lister.complete()
    assert lister.covers(uri_of(docs / "shared" / "id_rsa"))


def test_what_the_user_named_may_be_a_link(docs: Path, tmp_path: Path) -> None:
    (tmp_path / "entry").symlink_to(docs)
    names, _ = listing(FolderLister(tmp_path / "entry", links="none"))
    assert names == ["real.txt"]
    (listed,) = FileLister(docs / "notes.txt").list()
    assert isinstance(listed, Listed)
    with FETCHER.fetch(listed, None) as fetched:
        assert fetched
        assert fetched.path.read_text() == SECRET


def test_a_folder_that_is_swapped_as_a_whole_like_those_of_kubernetes_is_listed(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "guide.md").write_text("guide")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "guide.md").symlink_to("..data/guide.md")
    assert listing(FolderLister(tmp_path))[0] == ["guide.md"]


@pytest.mark.parametrize("links", ["inside", "none"])
@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_a_link_that_comes_after_the_listing_lets_nothing_in(tmp_path: Path, links: Links, swapped: str) -> None:
    inner, outside = tmp_path / "docs" / "inner", tmp_path / "outside"
    for folder in (inner, outside):
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(SECRET)
    (listed,) = FolderLister(tmp_path / "docs", links=links).list()
    assert isinstance(listed, Listed)
    if swapped == "file":
        (inner / "a.txt").unlink()
        (inner / "a.txt").symlink_to(outside / "a.txt")
    else:
        inner.rename(tmp_path / "docs" / "before")
        inner.symlink_to(outside)
    with pytest.raises(ExcludedSource), FETCHER.fetch(listed, None):
        pass


def test_none_means_none_also_after_the_listing(docs: Path) -> None:
    listed = next(entry for entry in FolderLister(docs, links="none").list() if isinstance(entry, Listed))
    (docs / "real.txt").rename(docs / "moved.txt")
    (docs / "real.txt").symlink_to("moved.txt")
    with pytest.raises(ExcludedSource), FETCHER.fetch(listed, None):
        pass


def test_a_race_between_links_lets_nothing_in(tmp_path: Path) -> None:
    """Somebody swaps the file for a link and back, as fast as the machine can."""
    docs, secret = tmp_path / "docs", tmp_path / "secret"
    docs.mkdir()
    secret.write_text(SECRET)
    good, bad, name = docs / "good", tmp_path / "bad", docs / "a.txt"
    good.write_text("ten days")
    name.write_text("ten days")
    (listed,) = (
        entry for entry in FolderLister(docs).list() if isinstance(entry, Listed) and entry.uri.endswith("a.txt")
    )
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            bad.symlink_to(secret)
            bad.rename(name)
            os.link(good, bad)
            bad.rename(name)

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen: set[str] = set()
    tried, deadline = 0, time.monotonic() + 60
    while tried < 400 or ("ExcludedSource" not in seen and time.monotonic() < deadline):
        tried += 1
        try:
            with FETCHER.fetch(listed, None) as fetched:
                assert fetched
                seen.add(fetched.path.read_text())
        except SourceError as error:
            seen.add(type(error).__name__)
    stop.set()
    swapper.join()
    assert SECRET not in seen
    assert "ExcludedSource" in seen  # the race was on


def test_what_is_parsed_is_what_was_looked_at_whatever_its_name_means_now(docs: Path) -> None:
    (listed,) = FileLister(docs / "real.txt").list()
    assert isinstance(listed, Listed)
    with ExitStack() as open_file:
        fetched = open_file.enter_context(FETCHER.fetch(listed, None))
        assert fetched
        (docs / "real.txt").unlink()
        (docs / "real.txt").symlink_to(docs.parent / "elsewhere" / "id_rsa")
        assert fetched.path.absolute().read_text() == "real"
        with pytest.raises(TransientFetchError, match="while it was read"):
            open_file.close()


SPECIAL = {
    "device": "/dev/zero",
    "terminal": "/dev/tty",
    "proc": "/proc/self/environ",
    "sys": "/sys/kernel/uevent_seqnum",
}


def special(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "docs" / "x.txt"
    path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(SPECIAL[kind])
    return path


@pytest.mark.parametrize("kind", ["pipe", "device", "terminal", "proc", "sys"])
def test_special_files_are_never_read(tmp_path: Path, kind: str) -> None:
    """Not even where all links are followed, and not where the file itself is named."""
    path = special(tmp_path, kind)
    assert not [listed for listed in FolderLister(path.parent, links="all").list() if isinstance(listed, Listed)]
    with pytest.raises(FetchError), FETCHER.fetch(Listed(uri=uri_of(path)), None):
        pass
    with pytest.raises(FetchError):
        lister_for(str(path))


@pytest.mark.parametrize("folder", ["/proc/self", "/sys/kernel"])
def test_folders_of_the_kernel_are_no_documents(tmp_path: Path, folder: str) -> None:
    with pytest.raises(FetchError, match="kernel"):
        lister_for(folder)
    (tmp_path / "link").symlink_to(folder)
    (failure,) = FolderLister(tmp_path, links="all").list()
    assert isinstance(failure, Failure)
    assert "kernel" in failure.message


def test_a_folder_called_like_one_of_the_kernel_is_an_ordinary_one(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "a.txt").write_text("a")
    assert listing(FolderLister(tmp_path))[0] == ["a.txt"]


@pytest.fixture
def share(tmp_path: Path) -> Iterator[tuple[Path, DeadShare]]:
    folder = tmp_path / "share"
    folder.mkdir()
    with DeadShare(folder, {"fine.txt": b"fine", "hangs.txt": None}) as dead:
        yield folder, dead


@needs_a_dead_share
def test_a_read_that_never_returns_costs_its_time_and_no_more(share: tuple[Path, DeadShare]) -> None:
    folder, dead = share
    fetcher = LocalFetcher(max_bytes=1000, stall_seconds=0.2)
    names, _ = listing(FolderLister(folder))
    assert names == ["fine.txt", "hangs.txt"]
    with fetcher.fetch(Listed(uri=uri_of(folder / "fine.txt")), None) as fetched:
        assert fetched
        assert fetched.path.read_bytes() == b"fine"
    with (
        pytest.raises(TransientFetchError, match=r"0\.2 seconds.*PENSTOCK_LIMITS__READ_SECONDS"),
        fetcher.fetch(Listed(uri=uri_of(folder / "hangs.txt")), None),
    ):
        pass
    assert dead.asked.is_set()


def test_a_read_that_is_slow_but_moves_is_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "slow.txt"
    path.write_bytes(b"x" * 40)
    monkeypatch.setattr("penstock.loaders.sources.files.BLOCK_BYTES", 1)
    pause = threading.Event()
    count = LocalFetcher._fetched.__globals__["hashlib"].sha256

    class Slow:
        def __init__(self) -> None:
            self.inner = count()
            self.hexdigest = self.inner.hexdigest

        def update(self, block: bytes) -> None:
            pause.wait(0.02)
            self.inner.update(block)

    monkeypatch.setattr("penstock.loaders.sources.files.hashlib.sha256", Slow)
    with LocalFetcher(max_bytes=100, stall_seconds=0.3).fetch(Listed(uri=uri_of(path)), None) as fetched:
        assert fetched
        assert fetched.size == 40
