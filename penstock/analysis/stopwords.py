"""Words that say how something is asked and not what: dropped from questions, kept in the indexes."""

_ENGLISH = """
    a an and are as at be been by but can could did do does for from had has have how i if in into is it its many much
    not of on or s so such t than that the their then there these they this to was were what when where which who whom
    whose why with would you your
"""
_CHINESE = """
    的 了 是 在 和 与 吗 呢 吧 啊 之 被 把 有 于 其 也 就 都 而 及 着 或 我 你 他 她 它 们
    这 那 个 什 么 怎 哪 谁 几 如 何
    什么 怎么 怎样 如何 哪里 哪个 哪些 哪一 多少 请问 为什么 是什么 是什 一个
"""
STOP_WORDS = frozenset(_ENGLISH.split()) | frozenset(_CHINESE.split())
"""Normalised words and tokens. Months and names that are also function words (may, will) are not among them."""
