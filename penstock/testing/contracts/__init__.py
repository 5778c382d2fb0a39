"""What must a part do to be one? A suite of tests for each port: subclass it in tests of your own."""

from pkgutil import iter_modules

from penstock.errors import MissingExtra

try:
    import hypothesis  # noqa: F401 - each suite would fail without it at some later point, with less to go by
    import pytest
except ModuleNotFoundError as error:
    raise MissingExtra(f"{error.name}, with which the contract suites run,", "testing") from error

# So that a check that fails shows what it compared, in the tests of others too.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
