"""A secret in the address of a page: needed to fetch it, and shown nowhere."""

import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout

import pytest

from penstock.cli.output.tables import show_document, show_hits, show_report
from penstock.errors import UnknownName
from penstock.loaders import shown
from penstock.pipelines.reporting import reports
from penstock.pipelines.workspace import Penstock
from penstock.settings import read_settings
from penstock.testing.doubles.embedders import LittleModel
from penstock.testing.doubles.website import Website


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as opened:
        for path in ("/a.html", "/b.html"):
            opened.pages[f"{path}?pass%77ord=zebra&x=1"] = "<p>Ten days of leave carry over into the next year.</p>"
        opened.pages["/c.html?token=zebra"] = b"%PDF-1.7 broken"
        yield opened


def printed(work: Callable[..., None], *given: object, **options: bool) -> str:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        work(*given, **options)
    return out.getvalue()


def test_secrets_of_addresses_are_shown_nowhere(model: LittleModel, site: Website) -> None:
    secret = [site.url(path) for path in ("/a.html?pass%77ord=zebra&x=1", "/b.html?pass%77ord=zebra&x=1")]
    broken, gone = site.url("/c.html?token=zebra"), site.url("/gone.html?api_key=zebra")
    with Penstock(settings=read_settings(web={"allow_private": True})) as penstock:
        report = penstock.ingest(*secret, broken, gone)
        assert (report.count("indexed"), report.count("failed")) == (2, 2)
        assert "zebra" not in "".join(result.reason for result in report.results)
        assert "zebra" not in printed(show_report, report, stderr=False)
        found = penstock.search("leave carry over")
        assert "***" in printed(show_hits, found, trace=True)
        assert "zebra" not in printed(show_hits, found, trace=True)
        assert "zebra" not in "".join(message.content for message in penstock.prompt("leave carry over").messages)
        assert "zebra" not in "".join(failed.failure.message for failed in penstock.status().quarantine)

        # Programs use the address itself; a person may use the address as it is shown.
        assert reports.retrieved(found)["hits"][0]["uris"] == secret
        assert "zebra" not in printed(show_document, penstock.show(shown(secret[0])))
        with pytest.raises(UnknownName) as caught:
            penstock.show(site.url("/nowhere?key=zebra"))
        assert "zebra" not in str(caught.value)
        removed = penstock.remove(shown(secret[1]))
        assert [result.uri for result in removed.results] == [secret[1]]
