"""How much may be asked for: what lies beyond is refused by name, before memory, a database or a library is asked.

Each limit is far above what anybody wants and far below what can stop a machine. Settings, commands, Python calls and
plug-ins obey the same limits.
"""

from typing import Final

MOST_HITS: Final = 10_000
"""Hits of one question, and candidates of one leg: the most that Elasticsearch gives by default."""
MOST_NEIGHBOURS: Final = 100
"""Chunks before, and after, one hit."""
LAST_PAGE: Final = 2**31 - 1
"""The highest number of a page that a filter may name."""
LONGEST_QUESTION: Final = 10_000
"""Characters of a question."""
MOST_VALUES: Final = 5_000
"""Addresses, media types, languages or principals of one filter, of each: SQLite takes 32,766 parameters of a query."""
MOST_PATTERNS: Final = 2_000
"""Of them, those with `*`, `?` or `[`."""
LONGEST_VALUE: Final = 4_000
"""Characters of one of them."""
MOST_LABELS: Final = 100
"""Labels of one filter, all of which a source must have."""
MOST_SECONDS: Final = 604_800
"""A week: the longest time that a setting gives anything."""
MOST_MIB: Final = 1_048_576
"""A tebibyte: the most memory, or the largest file, that a setting allows."""
MOST_TRIES: Final = 100
MOST_WORKERS: Final = 1_024
"""Processes, threads, shards or copies."""
MOST_TOKENS: Final = 100_000_000
"""Tokens of a chunk, a prompt, an answer, or a model's window."""
MOST_AT_ONCE: Final = 100_000
"""Documents of a commit, or texts of one call of a model."""
HIGHEST_DPI: Final = 1_200
"""Dots an inch at which a page is drawn: at this, a page of A4 takes 400 MB."""
