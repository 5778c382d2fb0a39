"""One definition of what is secret in an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.urls import secret_parameters, without_secrets

HIDDEN = [
    "https://example.org/a?password=zebra",
    "https://example.org/a?x=1&pass%77ord=zebra",
    "https://example.org/a?pass%2577ord=zebra",
    "https://example.org/a?PASSWORD=zebra&x=1",
    "https://example.org/a?access_token=zebra#top",
    "https://example.org/a#access_token=zebra",
    "https://example.org/a;jsessionid=zebra?x=1",
    "https://example.org/a?x=1;token=zebra",
    "https://example.org/a?X-Amz-Signature=zebra&X-Amz-Credential=zebra&X-Amz-Security-Token=zebra",
    "https://example.org/a?X-Goog-Signature=zebra",
    "https://example.org/a?sv=2024&sig=zebra",
    "https://example.org/a?api_key=zebra",
    "https://example.org/a?key=zebra",
    "https://example.org/a?apiKey[]=zebra",
    "https://example.org/a?%74oken=zebra",
    "https://example.org/a?密码=zebra",
    "https://example.org/a?next=https%3A%2F%2Fb.example%2F%3Ftoken%3Dzebra",
    "https://example.org/a?token=ze?zebra",
    "https://example.org/a?token=?zebra=1&x=***",
    "https://example.org/a?next=https://b.example/?token=zebra",
    "https://zebra@example.org/a",
    "https://ann:zebra@example.org/a",
    "https://ann:ze@zebra@example.org/a",
    "postgresql://ann:zebra@db.example/docs?ssl%70assword=zebra",
]
OPEN = [
    "https://example.org/a?page=2&q=token",
    "https://example.org/monkey?keyword=x&keynote=y",
    "https://example.org/@ann/post?author=x",
    "https://example.org/a?token=",
    "https://example.org/a?tokens=5&compass=north",
    "https://example.org/%E5%B9%B4?x=%26token%3D",
    "file:///docs/a@b.txt",
]


@pytest.mark.parametrize("url", HIDDEN)
def test_secrets_are_hidden(url: str) -> None:
    shown = without_secrets(url)
    assert "zebra" not in shown
    assert "***" in shown


@pytest.mark.parametrize("url", OPEN)
def test_all_else_stays(url: str) -> None:
    assert without_secrets(url) == url


@given(st.text(alphabet="ab:/?&=#;@%7token ", max_size=60))
def test_hiding_twice_changes_nothing_more(url: str) -> None:
    assert without_secrets(without_secrets(url)) == without_secrets(url)


def test_names_of_secret_parameters() -> None:
    assert secret_parameters("postgresql://db/docs?ssl%70assword=x&sslkey=/k&target_session_attrs=any") == (
        "sslpassword",
    )
