"""What lists sources, and what brings their bytes, keeps the contracts of the ports."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.loaders import LoaderOptions, Sandbox, SitemapLister, UrlListLister, lister_for
from penstock.loaders.sources.addresses import uri_of
from penstock.loaders.sources.files import FileLister, LocalFetcher
from penstock.loaders.sources.folders import FolderLister
from penstock.loaders.sources.listing import UrlLister
from penstock.model import Listed
from penstock.ports import Fetcher, Lister
from penstock.testing.contracts.fetchers import FetcherContract
from penstock.testing.contracts.listers import ListerContract
from penstock.testing.doubles.website import Website, fetching


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "手册 100%"
    (folder / "b").mkdir(parents=True)
    for name in ("a.txt", "b/年假.txt", "b/two words.txt", "c.txt"):
        (folder / name).write_text(name, "utf-8")
    return folder


class TestFolderLister(ListerContract):
    @pytest.fixture
    def lister(self, folder: Path) -> Lister:
        return FolderLister(folder)

    @pytest.fixture
    def elsewhere(self, folder: Path) -> str:
        return uri_of(f"{folder} (old)/a.txt")

    @pytest.fixture
    def broken(self, folder: Path) -> Lister:
        (folder / "dead.txt").symlink_to(folder / "gone.txt")
        return FolderLister(folder, links="all")


class TestFolderThatIsAFile(ListerContract):
    @pytest.fixture
    def lister(self, folder: Path) -> Lister:
        return lister_for(str(folder))

    @pytest.fixture
    def broken(self, folder: Path) -> Lister:
        return FolderLister(folder / "a.txt")


class TestFileLister(ListerContract):
    @pytest.fixture
    def lister(self, folder: Path) -> Lister:
        return FileLister(folder / "a.txt")

    @pytest.fixture
    def elsewhere(self, folder: Path) -> str:
        return uri_of(folder / "c.txt")

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Lister:
        (tmp_path / "loop").symlink_to("loop")
        return FileLister(tmp_path / "loop")


class TestUrlLister(ListerContract):
    @pytest.fixture
    def lister(self) -> Lister:
        return UrlLister(["https://example.org/a", "HTTPS://example.org/a#top", "https://example.org/年假"])


class TestUrlListLister(ListerContract):
    @pytest.fixture
    def lister(self, tmp_path: Path) -> Lister:
        (tmp_path / "list.txt").write_text("https://example.org/a\nhttps://example.org/b\nhttps://example.org/a\n")
        return UrlListLister(str(tmp_path / "list.txt"), fetching)

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Lister:
        (tmp_path / "bad.txt").write_text("https://example.org/a\nno address\n")
        return UrlListLister(str(tmp_path / "bad.txt"), fetching)


class TestSitemapLister(ListerContract):
    @pytest.fixture
    def lister(self, site: Website) -> Lister:
        pages = "".join(
            f"<url><loc>{site.url(path)}</loc><lastmod>2026-03-01T08:00:00+08:00</lastmod></url>"
            for path in ("/a", "/b", "/a")
        )
        site.pages["/sitemap.xml"] = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{pages}</urlset>'
        return self.lister_at(site.url("/sitemap.xml"))

    @pytest.fixture
    def broken(self, site: Website) -> Lister:
        return self.lister_at(site.url("/nowhere.xml"))

    def lister_at(self, url: str) -> Lister:
        return SitemapLister(
            url, fetching, lambda: Sandbox(options=LoaderOptions(), seconds=60, memory_mib=512, text_mib=8, workers=1)
        )


class TestLocalFetcher(FetcherContract):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "年假 100%.txt"
        path.write_bytes(b"eight days")
        return path

    @pytest.fixture
    def fetcher(self) -> Fetcher:
        return LocalFetcher(max_bytes=10_000_000)

    @pytest.fixture
    def listed(self, path: Path) -> Listed:
        return Listed(uri=uri_of(path))

    @pytest.fixture
    def missing(self, tmp_path: Path) -> Listed:
        return Listed(uri=uri_of(tmp_path / "gone.txt"))

    @pytest.fixture
    def write(self, path: Path) -> Callable[[bytes], None]:
        return lambda content: os.truncate(path, path.write_bytes(content))


class TestWebFetcher(FetcherContract):
    @pytest.fixture
    def fetcher(self, site: Website) -> Fetcher:
        site.pages["/a"], site.headers["/a"] = b"eight days", {"ETag": '"0"'}
        return fetching(site.url())

    @pytest.fixture
    def listed(self, site: Website) -> Listed:
        return Listed(uri=site.url("/a"))

    @pytest.fixture
    def missing(self, site: Website) -> Listed:
        return Listed(uri=site.url("/gone"))

    @pytest.fixture
    def write(self, site: Website) -> Callable[[bytes], None]:
        def written(content: bytes) -> None:
            site.pages["/a"], site.headers["/a"] = content, {"ETag": f'"{len(content)}"'}

        return written
