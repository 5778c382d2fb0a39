"""The address of the catalog as a setting: its password is shown nowhere."""

from traceback import format_exception

import pytest

from penstock.errors import SettingsError
from penstock.settings import read_settings

SECRET = "s3cret@word"


@pytest.mark.parametrize(
    ("url", "plain", "password"),
    [
        pytest.param("postgresql://ann:s3cret%40word@db/books", "postgresql://ann@db/books", SECRET, id="in the url"),
        pytest.param(
            "postgresql://ann:@db/books?sslmode=disable", "postgresql://ann@db/books?sslmode=disable", None, id="empty"
        ),
        pytest.param("postgresql+psycopg://:x@/books", "postgresql+psycopg://@/books", "x", id="without a user"),
        pytest.param("postgresql://ann@db:5432/books", "postgresql://ann@db:5432/books", None, id="none"),
    ],
)
def test_a_password_in_the_url_is_kept_as_a_secret(
    monkeypatch: pytest.MonkeyPatch, url: str, plain: str, password: str | None
) -> None:
    monkeypatch.setenv("PENSTOCK_CATALOG__URL", url)
    found = read_settings()
    assert found.catalog.url == plain
    assert (found.catalog.password.get_secret_value() if found.catalog.password else None) == password
    assert SECRET not in repr(found)
    assert "s3cret" not in repr(found.model_dump(mode="json"))


def test_the_password_that_was_set_by_itself_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CATALOG__PASSWORD", SECRET)
    found = read_settings(catalog={"url": "postgresql://ann:other@db/books"}).catalog
    assert (found.url, found.password and found.password.get_secret_value()) == ("postgresql://ann@db/books", SECRET)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"postgresql://ann@db/books?password={SECRET}", id="password in the query"),
        pytest.param(f"postgresql://ann@db/books?sslpassword={SECRET}", id="sslpassword in the query"),
        pytest.param(f"postgresql://ann:{SECRET}@db/books", id="a sign that ends a password"),
        pytest.param("postgresql://ann:s3cret@w/ord@db/books", id="two of them"),
    ],
)
def test_a_password_that_cannot_be_told_apart_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match=r"catalog\.password") as raised:
        read_settings(catalog={"url": url})
    whole = "".join(format_exception(raised.value))  # with the error of the library that it came from
    assert "word@" not in whole
    assert "s3cret@" not in whole
    assert "=s3cret" not in whole


def test_elasticsearch_addresses_hold_no_user() -> None:
    with pytest.raises(SettingsError, match=r"elasticsearch\.password") as raised:
        read_settings(elasticsearch={"urls": [f"https://elastic:{SECRET}@db:9200"]})
    assert SECRET not in "".join(format_exception(raised.value))


def test_a_key_of_a_wrong_kind_is_not_shown() -> None:
    with pytest.raises(SettingsError, match=r"llm\.api_key") as raised:
        read_settings(llm={"api_key": [SECRET]})
    assert SECRET not in "".join(format_exception(raised.value))
