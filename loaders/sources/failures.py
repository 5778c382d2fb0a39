"""Why a source could not be listed or read, where several kinds of sources fail alike."""

from penstock.errors import FetchError, LimitExceeded, SourceError
from penstock.loaders.sources.addresses import shown
from penstock.model import Failure

MIB = 1024 * 1024


def discover_failure(uri: str, message: str, error: SourceError | None = None) -> Failure:
    """The failure of a place that could not be listed, with the error that caused it where there is one."""
    kind, retryable = (type(error).__name__, error.retryable) if error else (FetchError.__name__, False)
    return Failure(uri=uri, stage="discover", kind=kind, message=message, retryable=retryable)


def too_large(uri: str, max_bytes: int) -> LimitExceeded:
    """The refusal of a source that is larger than allowed."""
    return LimitExceeded(
        f"{shown(uri)!r} is larger than the {max_bytes / MIB:g} MiB that one source may have; "
        "raise limits.source_mib (PENSTOCK_LIMITS__SOURCE_MIB) to read it"
    )
