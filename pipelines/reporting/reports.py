"""Results as plain dictionaries with stable keys: what `--json` prints and what other programs read."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from penstock.catalog import CollectionInfo, RevisionEntry, RunInfo, StoredDocument
from penstock.model import OUTCOMES, Answer, Chunk, ChunkCounts, Hit, Place, Prompt, Retrieved, RunReport, Source, Trace
from penstock.model.plain import object_of
from penstock.pipelines.history.compacting import Compacted
from penstock.pipelines.history.differing import Difference
from penstock.pipelines.history.disk import DiskUse, Measured
from penstock.pipelines.history.exporting import Exported
from penstock.pipelines.history.importing import Imported
from penstock.pipelines.history.removing import Removed, Renamed
from penstock.pipelines.history.returning import RolledBack
from penstock.pipelines.indexing.doctor import Diagnosis
from penstock.pipelines.ingest.planning import RunPlan
from penstock.pipelines.reporting.status import Status


def run_report(report: RunReport) -> dict[str, Any]:
    """A finished run; the outcomes of discovered sources add up to `discovered`, without `removed`."""
    return {
        "collection": report.collection,
        "revision": report.revision,
        "discovered": report.discovered,
        **{outcome: report.count(outcome) for outcome in OUTCOMES},
        "parsed": report.parsed,
        "embedded": report.embedded,
        "pages": report.pages,
        "chunks": _counts(report.chunks),
        "seconds": round(report.seconds, 3),
        "stage_seconds": {stage: round(seconds, 3) for stage, seconds in report.stage_seconds.items()},
        "interrupted": report.interrupted,
        "failure": report.failure,
        "attention": list(report.attention),
        "sources": [
            {"uri": result.uri, "outcome": result.outcome, "reason": result.reason, "chunks": result.chunks}
            for result in report.results
        ],
    }


def plan(found: RunPlan) -> dict[str, Any]:
    """What a run would do: a list of sources for each outcome that is known before anything is read."""
    settled: dict[str, Any] = {outcome: [] for outcome in OUTCOMES if outcome not in ("indexed", "removed")}
    for result in found.settled.results:
        settled[result.outcome].append({"uri": result.uri, "reason": result.reason})
    return {
        "collection": found.collection,
        "new": [pending.listed.uri for pending in found.new],
        "changed": [pending.listed.uri for pending in found.pending if pending.listed.uri in found.changed],
        **settled,
        "removed": list(found.removal.removed),
        "attention": list(found.attention),
    }


def retrieved(found: Retrieved) -> dict[str, Any]:
    """A search's hits."""
    return {
        "question": found.question,
        "revision": found.revision,
        "notes": list(found.notes),
        "hits": list(map(hit, found.hits)),
    }


def hit(found: Hit) -> dict[str, Any]:
    """One hit with its places and its trace."""
    return {
        "chunk_id": found.chunk.id,
        "document_id": found.chunk.document_id,
        "uri": found.source.uri,
        "uris": [source.uri for source in found.sources],
        "title": found.title,
        "score": found.score,
        **_chunk(found.chunk),
        "trace": _trace(found.trace),
    }


def answer(given: Answer) -> dict[str, Any]:
    """An answer with the citations that checked out."""
    return {
        "text": given.text,
        "refused": given.refused,
        "citations": [
            {
                "uri": citation.source.uri,
                "places": list(map(place, citation.places)),
                "quote": citation.quote,
                "chunk_id": citation.chunk_id,
            }
            for citation in given.citations
        ],
        "hits": list(map(hit, given.hits)),
        "usage": {
            "prompt_tokens": given.usage.prompt_tokens,
            "completion_tokens": given.usage.completion_tokens,
        },
        "model": given.model,
    }


def prompt(assembled: Prompt) -> dict[str, Any]:
    """An assembled prompt, as it would be sent."""
    return {
        "question": assembled.question,
        "language": assembled.language,
        "tokens": assembled.tokens,
        "messages": [{"role": message.role, "content": message.content} for message in assembled.messages],
        "passages": [[found.chunk.id for found in passage] for passage in assembled.passages],
        "left_out": [{"chunk_id": left.chunk_id, "reason": left.reason} for left in assembled.left_out],
    }


def diagnosis(found: Diagnosis) -> dict[str, Any]:
    """What `doctor` found."""
    return {
        "ok": found.ok,
        "collection": found.collection,
        "revision": found.revision,
        "chunks": found.chunks,
        "problems": [
            {
                "where": problem.where,
                "what": problem.what,
                "message": problem.message,
                "chunk_ids": list(problem.chunk_ids),
            }
            for problem in found.problems
        ],
        "confinement": {"landlock": found.confinement.landlock, "seccomp": found.confinement.seccomp},
    }


def status(found: Status) -> dict[str, Any]:
    """The status of a collection."""
    return {
        "collection": found.collection,
        "home": str(found.home),
        "revision": found.revision,
        "keyword_revision": found.keyword_revision,
        "vector_revision": found.vector_revision,
        "embedder": found.embedder,
        "sources": found.sources,
        "languages": found.languages,
        "chunks": _counts(found.chunks),
        "last_run": _run(found.last_run) if found.last_run else None,
        "quarantine": [
            {"uri": waiting.source.uri, "reason": waiting.failure.message, "since": waiting.since.isoformat()}
            for waiting in found.quarantine
        ],
        "aside": {"folders": found.aside.folders, "bytes": found.aside.bytes},
    }


def document(stored: StoredDocument) -> dict[str, Any]:
    """The text of a document, and its chunks."""
    read = stored.document
    return {
        "document_id": read.id,
        "title": read.title,
        "language": read.language,
        "loader": read.loader,
        "chunker": stored.chunker,
        "sources": list(map(source, stored.sources)),
        "text": read.text,
        "blocks": object_of(read.blocks),
        "chunks": [{"chunk_id": chunk.id, **_chunk(chunk)} for chunk in stored.chunks],
    }


def collection(info: CollectionInfo) -> dict[str, Any]:
    """A collection in numbers."""
    return {
        "name": info.name,
        "revision": info.revision,
        "sources": info.sources,
        "documents": info.documents,
        "chunks": info.chunks,
        "updated": info.updated.isoformat(timespec="seconds"),
        "embedder": info.embedder,
    }


def history(entries: Sequence[RevisionEntry], disk: DiskUse) -> dict[str, Any]:
    """Revisions, newest first, with the sources that each added, changed and removed."""
    return {
        "revisions": [
            {
                "revision": entry.revision,
                "time": entry.time.isoformat(timespec="seconds"),
                "cause": entry.cause,
                "added": entry.added,
                "changed": entry.changed,
                "removed": entry.removed,
                "embedder": entry.embedder,
            }
            for entry in entries
        ],
        "disk": disk_use(disk),
    }


def compacted(done: Compacted) -> dict[str, Any]:
    """What a compaction removed."""
    return {
        "collection": done.collection,
        "dry_run": done.dry_run,
        "oldest": done.oldest,
        "newest": done.newest,
        "removed": asdict(done.freed),
        "aside": [{"folder": str(folder.path), "bytes": folder.bytes} for folder in done.aside],
        "disk": before_and_after(done),
        "remarks": list(done.remarks),
    }


def rolled_back(done: RolledBack) -> dict[str, Any]:
    """A new revision with the content of an old one."""
    return {
        "collection": done.collection,
        "to": done.to,
        "revision": done.revision,
        "added": done.added,
        "changed": done.changed,
        "removed": done.removed,
        "left_out": list(done.left_out),
        "disk": before_and_after(done),
        "remarks": list(done.remarks),
    }


def differing(found: Difference) -> dict[str, Any]:
    """What differs between two revisions."""
    return {
        "collection": found.collection,
        "first": found.first,
        "second": found.second,
        "added": list(found.added),
        "changed": [{"uri": changed.uri, "what": list(changed.what)} for changed in found.changed],
        "removed": list(found.removed),
    }


def exported(done: Exported) -> dict[str, Any]:
    """A collection in a file."""
    return {
        "collection": done.collection,
        "revision": done.revision,
        "file": str(done.file),
        "bytes": done.bytes,
        "sha256": done.sha256,
        "disk": before_and_after(done),
    }


def imported(done: Imported) -> dict[str, Any]:
    """A collection out of a file."""
    return {
        "collection": done.collection,
        "file": str(done.file),
        "exported_revision": done.exported_revision,
        "sources": done.sources,
        "chunks": done.chunks,
        "disk": before_and_after(done),
        "remarks": list(done.remarks),
    }


def renamed(done: Renamed) -> dict[str, Any]:
    """A collection that was renamed."""
    return {"collection": done.collection, "new": done.new, "disk": before_and_after(done)}


def removed(done: Removed) -> dict[str, Any]:
    """A collection that was removed."""
    return {
        "collection": done.collection,
        "revision": done.revision,
        "chunks": done.chunks,
        "vectors": done.vectors,
        "disk": before_and_after(done),
        "remarks": list(done.remarks),
    }


def disk_use(use: DiskUse) -> dict[str, int]:
    """Bytes on disk by content."""
    return {**asdict(use), "total": use.total}


def before_and_after(done: Measured) -> dict[str, dict[str, int]]:
    """Disk use of the home before and after something was done."""
    return {"before": disk_use(done.before), "after": disk_use(done.after)}


def source(of: Source) -> dict[str, Any]:
    """Where bytes came from."""
    plain: dict[str, Any] = object_of(of)
    return plain


def place(of: Place) -> dict[str, Any]:
    """A page and the rectangle on it."""
    plain: dict[str, Any] = object_of(of)
    return plain


def _run(of: RunInfo) -> dict[str, Any]:
    return {
        "command": of.command,
        "status": of.status,
        "started": of.started.isoformat(timespec="seconds"),
        "finished": of.finished.isoformat(timespec="seconds") if of.finished else None,
    }


def _counts(chunks: ChunkCounts) -> dict[str, int]:
    return {"catalog": chunks.catalog, "keyword": chunks.keyword, "vector": chunks.vector}


def _chunk(chunk: Chunk) -> dict[str, Any]:
    return {
        "text": chunk.text,
        "span": list(chunk.span),
        "headings": list(chunk.headings),
        "places": list(map(place, chunk.places)),
        "language": chunk.language,
    }


def _trace(trace: Trace) -> dict[str, Any]:
    return {
        "ranks": dict(trace.ranks),
        "scores": dict(trace.scores),
        "shares": dict(trace.shares),
        "weights": dict(trace.weights),
        "matched": list(trace.matched),
        "notes": list(trace.notes),
    }
