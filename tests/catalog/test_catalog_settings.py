"""The address of the catalog as a setting: no password of it is shown anywhere."""

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


@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_a_password_in_the_query_is_refused_and_not_shown(name: str) -> None:
    with pytest.raises(SettingsError, match=r"catalog\.password") as raised:
        read_settings(catalog={"url": f"postgresql://ann@db/books?{name}={SECRET}"})
    assert SECRET not in str(raised.value)
