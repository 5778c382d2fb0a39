"""Where to cut a list of units: the division into chunks that costs least, found by dynamic programming.

A chunk that fills the share x of the room it has costs 1 + x². For a given text that makes full chunks cheapest, even
ones cheaper than a full one and a rest, and a tiny one dear; on top come the costs of parting and joining units.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from penstock.chunkers.heads import Heads
from penstock.chunkers.measure import Ruler
from penstock.chunkers.units import Unit
from penstock.model import Draft, Span


def partition(units: Sequence[Unit], *, size: int, ruler: Ruler, heads: Heads) -> list[Draft]:
    """The chunks of a run of units, in order; each holds at least one unit."""
    shared = [_common(first.path, second.path) for first, second in pairwise(units)]
    best = [0.0] + [float("inf")] * len(units)
    came = [(0, 0)] * (len(units) + 1)  # to each end: where the best last chunk begins, and how deep its headings go
    begun = [ruler.begun(unit.span.end) for unit in units]
    ended = [ruler.ended(unit.span.start) for unit in units]
    for start, unit in enumerate(units):
        before = best[start] + (unit.cut if start else 0.0)
        for end, depth, cost in _chunks_from(units, shared, start, size, heads, begun, ended[start]):
            total = before + cost
            if total < best[end]:
                best[end], came[end] = total, (start, depth)
    return list(reversed(list(_drafts(units, came, heads))))


def _chunks_from(
    units: Sequence[Unit],
    shared: Sequence[int],
    start: int,
    size: int,
    heads: Heads,
    begun: Sequence[int],
    ended: int,
) -> Iterator[tuple[int, int, float]]:
    """Every chunk that can begin at a unit: the end of its units, the depth of its common headings, its cost.

    Most units have a token, so that few chunks have more units than tokens: those with more are left out.
    """
    first = units[start]
    depth, joins = len(first.path), 0.0
    room = size - first.header_tokens - heads.tokens(first.path)
    for index in range(start, min(len(units), start + size + 1)):
        if index > start:
            joins += units[index].join
            if shared[index - 1] < depth:
                depth = shared[index - 1]
                room = size - first.header_tokens - heads.tokens(first.path[:depth])
        used = max(0, begun[index] - ended)
        if used > room and index > start:
            if used > size:
                return
            continue  # fewer common headings may make room again
        yield index + 1, depth, 1 + (used / room if room > 0 else 1) ** 2 + joins


def _drafts(units: Sequence[Unit], came: Sequence[tuple[int, int]], heads: Heads) -> Iterator[Draft]:
    end = len(units)
    while end:
        start, depth = came[end]
        first = units[start]
        yield Draft(
            span=Span(first.span.start, units[end - 1].span.end),
            headings=heads.fit(first.path[:depth]),
            table_header=first.table_header,
        )
        end = start


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    depth = 0
    while depth < min(len(first), len(second)) and first[depth] == second[depth]:
        depth += 1
    return depth
