"""Rolling back to an earlier revision, and what the user has to know about it."""

from dataclasses import dataclass

from penstock.pipelines.history.disk import DiskUse

FILES_STAY = (
    "the files themselves are what they were: the next ingest or sync of them brings their newer content back; put the "
    "files back as well, or leave their folder out, to stay at this revision"
)
LEFT_OUT = (
    "{} sources stay as they are: who saw them then and who may see them today have no reader in common; ingest them "
    "with --access or --everybody"
)
OTHER_MODEL = (
    "the vectors are by the embedding model {!r}, and the settings name {!r}: set the former to search, or "
    "ingest to recompute the vectors"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """A new revision with the content of an old one."""

    collection: str
    to: int
    """The revision whose content it has."""
    revision: int
    """The newest revision now; the same as before, where nothing differed."""
    added: int
    changed: int
    removed: int
    left_out: tuple[str, ...]
    """Addresses of sources that stay as they are, because nobody may see what they were."""
    before: DiskUse
    after: DiskUse
    remarks: tuple[str, ...]


def remarks(*, left_out: int, model: str, set_model: str) -> tuple[str, ...]:
    """What the user has to know about a collection that was rolled back."""
    found = [FILES_STAY]
    if left_out:
        found.append(LEFT_OUT.format(left_out))
    if model != set_model:
        found.append(OTHER_MODEL.format(model, set_model))
    return tuple(found)
