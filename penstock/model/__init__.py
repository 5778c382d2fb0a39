"""The values that every part of Penstock exchanges: frozen, keyword-only, standard library only.

Three roles, three types: a `Document` is what was read, a `Chunk` is one answerable piece of it, a `Hit` is a chunk
found for a question. Nothing here does I/O and nothing imports a library.
"""

from penstock.model.access import EVERYBODY, Access, is_wider, lets_in, may_see, narrowest, readers
from penstock.model.answers import Answer, Citation, LeftOut, Message, Prompt, Usage
from penstock.model.blueprints import Blueprint
from penstock.model.changes import Candidate, Change, Entry, Flaw, Scope
from penstock.model.documents import (
    Block,
    BlockKind,
    Box,
    Chunk,
    Document,
    Draft,
    Extraction,
    Fetched,
    Labels,
    Listed,
    Place,
    Problem,
    Removed,
    Source,
    Span,
)
from penstock.model.hits import Filter, Hit, Leg, Retrieved, Trace
from penstock.model.kinds import FileKind
from penstock.model.outcomes import OUTCOMES, BatchReport, ChunkCounts, Failure, Outcome, RunReport, SourceResult, Stage
from penstock.model.writing import ExtractionWriter

__all__ = [
    "EVERYBODY",
    "OUTCOMES",
    "Access",
    "Answer",
    "BatchReport",
    "Block",
    "BlockKind",
    "Blueprint",
    "Box",
    "Candidate",
    "Change",
    "Chunk",
    "ChunkCounts",
    "Citation",
    "Document",
    "Draft",
    "Entry",
    "Extraction",
    "ExtractionWriter",
    "Failure",
    "Fetched",
    "FileKind",
    "Filter",
    "Flaw",
    "Hit",
    "Labels",
    "LeftOut",
    "Leg",
    "Listed",
    "Message",
    "Outcome",
    "Place",
    "Problem",
    "Prompt",
    "Removed",
    "Retrieved",
    "RunReport",
    "Scope",
    "Source",
    "SourceResult",
    "Span",
    "Stage",
    "Trace",
    "Usage",
    "is_wider",
    "lets_in",
    "may_see",
    "narrowest",
    "readers",
]
