import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import AddressRefused, FetchError
from penstock.loaders.sources.addresses import path_of, shown, uri_of, web_uri
from penstock.loaders.sources.files import FileLister
from penstock.loaders.sources.folders import FolderLister
from penstock.loaders.sources.listing import UrlLister, lister_for
from penstock.model import Failure, Listed
from penstock.ports import Lister


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def names(lister: Lister, folder: Path) -> list[str]:
    return [os.path.relpath(path_of(listed.uri), folder) for listed in lister.list() if isinstance(listed, Listed)]


def failures(lister: Lister) -> list[Failure]:
    return [failure for failure in lister.list() if isinstance(failure, Failure)]


def test_a_folder_is_listed_in_sorted_order_with_sizes_and_dates(tmp_path: Path) -> None:
    put(tmp_path, "b.txt", "a/z.txt", "a.txt", "a/deep/er/x.pdf", "年假 制度.docx", "a-1/y.txt", "new\nline.txt")
    os.utime(tmp_path / "b.txt", ns=(0, 1_445_412_480_123_456_789))
    lister = FolderLister(tmp_path)
    assert not lister.complete()
    found = [listed for listed in lister.list() if isinstance(listed, Listed)]
    paths = [str(path_of(listed.uri)) for listed in found]
    assert paths == sorted(paths)
    assert len(paths) == 7
    assert lister.complete()
    b = next(listed for listed in found if listed.uri.endswith("b.txt"))
    assert b.size == 1
    assert b.modified == datetime(2015, 10, 21, 7, 28, 0, 123456, tzinfo=UTC)


def test_hidden_files_and_lock_files_are_no_sources(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", ".hidden", ".git/config", "~$report.docx", "sub/.x", "sub/b.txt")
    os.mkfifo(tmp_path / "pipe")
    assert names(FolderLister(tmp_path), tmp_path) == ["a.txt", "sub/b.txt"]


def test_a_hidden_folder_that_is_asked_for_is_listed(tmp_path: Path) -> None:
    put(tmp_path, ".notes/a.txt")
    assert names(FolderLister(tmp_path / ".notes"), tmp_path) == [".notes/a.txt"]


def test_patterns_choose_files(tmp_path: Path) -> None:
    put(tmp_path, "a.pdf", "b.txt", "drafts/c.pdf", "drafts/d.txt")
    assert names(FolderLister(tmp_path, include=["*.pdf"]), tmp_path) == ["a.pdf", "drafts/c.pdf"]
    assert names(FolderLister(tmp_path, exclude=["drafts/*"]), tmp_path) == ["a.pdf", "b.txt"]


def test_all_links_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    put(root, "a/x.txt")
    put(outside, "y.txt", "sub/z.txt")
    (root / "a" / "loop").symlink_to(root)
    (root / "a" / "up").symlink_to(tmp_path)
    (root / "inner").symlink_to(root / "a")
    (root / "out").symlink_to(outside)
    (root / "out-again").symlink_to(outside)
    (outside / "back").symlink_to(outside)
    (outside / "home").symlink_to(root)
    (root / "one.txt").symlink_to(outside / "y.txt")
    lister = FolderLister(root, links="all")
    assert names(lister, root) == ["a/x.txt", "one.txt", "out-again/sub/z.txt", "out-again/y.txt"]
    assert lister.complete()


def test_links_in_a_circle_are_reported_and_cost_no_other_file(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "z.txt")
    (tmp_path / "here").symlink_to("there")
    (tmp_path / "there").symlink_to("here")
    lister = FolderLister(tmp_path)
    assert names(lister, tmp_path) == ["a.txt", "z.txt"]
    assert [failure.uri for failure in failures(lister)] == [uri_of(tmp_path / name) for name in ("here", "there")]
    assert lister.complete()


def test_a_link_that_leads_nowhere_is_reported_and_not_covered(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    (tmp_path / "gone").symlink_to(tmp_path / "unmounted")
    lister = FolderLister(tmp_path)
    (failure,) = failures(lister)
    assert (failure.stage, failure.uri) == ("discover", uri_of(tmp_path / "gone"))
    assert "leads nowhere" in failure.message
    assert lister.complete()
    assert lister.covers(uri_of(tmp_path / "b.txt"))
    assert not lister.covers(uri_of(tmp_path / "gone" / "c.txt"))


def test_a_folder_that_cannot_be_read_makes_the_listing_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a.txt", "locked/b.txt", "z.txt")
    scan = os.scandir

    def refuse(folder: str) -> object:
        if folder.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # permissions do not stop the superuser, as whom tests may run
    lister = FolderLister(tmp_path)
    assert "Permission denied" in failures(lister)[0].message
    assert names(lister, tmp_path) == ["a.txt", "z.txt"]
    assert not lister.complete()


def test_deeply_nested_folders_are_walked(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(600):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "x.txt").write_text("x")
    assert len(names(FolderLister(tmp_path), tmp_path)) == 1


def test_names_that_are_not_utf8_are_listed(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xc4\xea.txt"
    try:
        with open(path, "wb"):  # noqa: PTH123 - pathlib takes no bytes
            pass
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (listed,) = FolderLister(tmp_path).list()
    assert isinstance(listed, Listed)
    assert listed.uri.endswith("/%C4%EA.txt")
    assert os.fsencode(path_of(listed.uri)) == path
    shown(listed.uri).encode()


def test_a_file_speaks_for_itself_alone(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "b.txt")
    lister = lister_for(str(tmp_path / "a.txt"))
    assert isinstance(lister, FileLister)
    assert not lister.complete()
    assert names(lister, tmp_path) == ["a.txt"]
    assert lister.complete()
    assert lister.covers(uri_of(tmp_path / "a.txt"))
    assert not lister.covers(uri_of(tmp_path / "b.txt"))
    (tmp_path / "a.txt").unlink()
    assert list(lister.list()) == []
    assert lister.complete()


def test_a_file_that_cannot_be_looked_at_is_no_deletion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lister = FileLister(tmp_path / "a.txt")

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    (failure,) = list(lister.list())
    monkeypatch.undo()
    assert isinstance(failure, Failure)
    assert not lister.complete()


def test_web_addresses_are_listed_in_one_form() -> None:
    lister = UrlLister(["HTTPS://Example.org:443#a", "https://example.org/", "http://example.org:8080/Ü?q=1"])
    assert [listed.uri for listed in lister.list() if isinstance(listed, Listed)] == [
        "https://example.org/",
        "http://example.org:8080/Ü?q=1",
    ]
    assert lister.complete()
    assert lister.covers("https://example.org/")
    assert not lister.covers("https://example.org/other")


@pytest.mark.parametrize(
    "address", ["http://", "https://user:secret@example.org/", "http://a:b/", "http://[::1/", "ftp://example.org/"]
)
def test_addresses_that_are_not_read_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        lister_for(address)
    assert "secret" not in str(caught.value)


def test_a_path_that_is_not_there_is_an_error_unless_it_may_be(tmp_path: Path) -> None:
    address = str(tmp_path / "手册")
    with pytest.raises(FetchError, match="手册"):
        lister_for(address)
    lister = lister_for(address, missing_ok=True)
    assert list(lister.list()) == []
    assert lister.complete()
    assert lister.covers(uri_of(tmp_path / "手册"))
    assert lister.covers(uri_of(tmp_path / "手册" / "a.txt"))
    assert not lister.covers(uri_of(tmp_path / "手册 2"))


def test_addresses_of_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "年 假/a.txt")
    for address in (str(tmp_path / "年 假"), uri_of(tmp_path / "年 假"), (tmp_path / "年 假").as_uri()):
        assert names(lister_for(address), tmp_path) == ["年 假/a.txt"]
    monkeypatch.chdir(tmp_path)
    assert names(lister_for("年 假/"), tmp_path) == ["年 假/a.txt"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert names(lister_for("~/年 假"), tmp_path) == ["年 假/a.txt"]
    os.mkfifo(tmp_path / "pipe")
    for bad in ("file://server/share/a.txt", "a\0b", str(tmp_path / "pipe")):
        with pytest.raises(FetchError):
            lister_for(bad)


def test_the_root_folder_covers_everything() -> None:
    assert FolderLister(Path("/")).covers("file:///a")


@given(st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=40).filter(lambda n: n not in (".", "..")))
def test_a_path_survives_its_uri(name: str) -> None:
    path = Path("/folder") / os.fsdecode(name.encode("utf-8", "replace"))
    uri = uri_of(path)
    assert path_of(uri) == path
    assert not set(uri) & set("?#\n\r\t")
    assert "\n" not in shown(uri)


def test_what_a_person_sees_is_the_path() -> None:
    assert shown("file:///年假/a%20b%0A%1B[31m.txt") == "/年假/a b\\n\\x1b[31m.txt"
    assert shown("https://example.org/%E5%B9%B4") == "https://example.org/%E5%B9%B4"
    assert shown("file://server/share") == "file://server/share"
    assert web_uri("http://[::1]:80/a") == "http://[::1]/a"
