"""Starts Elasticsearch and PostgreSQL for a person, until Ctrl-C, and prints how to point Penstock there."""

import argparse
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from types import FrameType
from typing import cast

from tests.servers.elasticsearch import BUILDS, URL_VARIABLE, Version, elasticsearch_server
from tests.servers.postgresql import VARIABLE as DATABASE_VARIABLE
from tests.servers.postgresql import postgresql_server
from tests.servers.processes import ServerMissing


def main() -> None:
    """Starts what can be had on this machine and waits."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.add_argument("--elasticsearch", choices=sorted(BUILDS), default="8", help="main version of Elasticsearch")
    version = cast("Version", parser.parse_args().elasticsearch)
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        url = _started(stack, "Elasticsearch", lambda: elasticsearch_server(version))
        if url:
            _say(f"export {URL_VARIABLE}={url}")
            _say(f"export PENSTOCK_ELASTICSEARCH__URLS='[\"{url}\"]'")
        database = _started(stack, "PostgreSQL", postgresql_server)
        if database:
            _say(f"export {DATABASE_VARIABLE}='{database}'")
            _say(f"export PENSTOCK_CATALOG__URL='{database}'")
        _say("# servers run until Ctrl-C")
        signal.pause()


def _started(stack: ExitStack, name: str, make: Callable[[], AbstractContextManager[str]]) -> str:
    try:
        return stack.enter_context(make())
    except ServerMissing as missing:
        _say(f"# no {name}: {missing}")
        return ""


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
