"""The contract of `ServerIndex` as a suite to subclass. Its two views are indexes, and keep to `IndexContract`."""

from collections.abc import Iterable, Sequence
from uuid import uuid4

import pytest

from penstock.model import Change
from penstock.ports import ServerIndex
from penstock.testing.contracts.indexes import entry_of, scope_of, vector_of

TEXTS = {1: "turbine valve", 2: "pump 年假", 3: "gate", 4: "reservoir"}


def change_of(revision: int, added: dict[int, str], *, removed: Iterable[int] = (), since: int | None = None) -> Change:
    """A change to this revision, from the one before it unless `since` says otherwise."""
    entries = (entry_of(row, text, vector_of(text)) for row, text in added.items())
    before = revision - 1 if since is None else since
    return Change(since=before, revision=revision, removed=tuple(removed), added=entries)


class ServerIndexContract:
    """What every index on servers keeps to: subclass it and give the method `open`."""

    def open(self, name: str) -> ServerIndex:
        """The index of that name on the server of the test, for tokens and vectors, as another home would open it.

        Its analyser cuts at white space; its vectors have the length of `WORDS`.
        """
        raise NotImplementedError

    def found(self, index: ServerIndex, text: str, rows: Sequence[int] | None = None) -> tuple[list[int], list[int]]:
        """The rows that are found by a text's tokens and by its vector."""
        words, near, revision = index.search(text.split(), vector_of(text), k=10, scope=scope_of(rows))
        assert revision == index.last_seen_revision
        return [hit.row for hit in words], [hit.row for hit in near]

    @pytest.fixture
    def name(self) -> str:
        """A name that nothing on the server has."""
        return f"contract-{uuid4().hex[:12]}"

    @pytest.fixture
    def index(self, name: str) -> ServerIndex:
        """An index that holds `TEXTS` at revision 1."""
        index = self.open(name)
        index.keyword.apply(change_of(1, TEXTS))
        return index

    def test_a_new_index_is_empty(self, name: str) -> None:
        """And says that it is one on servers."""
        index = self.open(name)
        assert type(index).on_servers is True
        assert (index.visible_revision, index.keyword.revision, index.vector.revision, index.count()) == (0, 0, 0, 0)
        assert self.found(index, "turbine") == ([], [])
        assert not index.rejected()

    def test_a_change_that_one_view_is_given_holds_for_both(self, index: ServerIndex) -> None:
        """Given to the other as well, it changes nothing."""
        for _ in range(2):
            assert (index.visible_revision, index.keyword.revision, index.vector.revision, index.count()) == (
                1,
                1,
                1,
                len(TEXTS),
            )
            assert index.keyword.rows().tolist() == index.vector.rows().tolist() == [*TEXTS]
            assert self.found(index, "turbine") == ([1], [1, 2, 3, 4])
            index.vector.apply(change_of(1, TEXTS))
        index.vector.apply(change_of(2, {5: "turbine"}, removed=[1]))
        assert self.found(index, "turbine")[0] == [5]
        assert index.keyword.revision == 2

    def test_each_leg_may_be_left_out(self, index: ServerIndex) -> None:
        """What is not asked for is not found."""
        words, near, _ = index.search(["turbine"], None, k=10, scope=scope_of())
        assert ([hit.row for hit in words], near) == ([1], [])
        words, near, _ = index.search(None, vector_of("pump"), k=1, scope=scope_of())
        assert (words, [hit.row for hit in near]) == ([], [2])

    def test_the_scope_holds_for_both_legs(self, index: ServerIndex) -> None:
        """Rows that it does not allow are in neither."""
        assert self.found(index, "turbine valve pump", rows=[2]) == ([2], [2])
        assert self.found(index, "turbine valve pump", rows=[]) == ([], [])

    def test_says_where_it_stands(self, index: ServerIndex, name: str) -> None:
        """To whoever opened it, also before the first search."""
        for opened in (index, self.open(name)):
            assert opened.is_at(1)
            assert not opened.is_at(2)
            assert opened.last_seen_revision == 1

    def test_other_homes_find_the_same(self, index: ServerIndex, name: str) -> None:
        """They see what is written after they opened it."""
        other = self.open(name)
        assert self.found(other, "pump")[0] == [2]
        index.keyword.apply(change_of(2, {5: "pump"}, removed=[2]))
        assert self.found(other, "pump")[0] == [5]

    def test_one_that_is_built_anew_takes_the_place_of_the_live_one(self, index: ServerIndex, name: str) -> None:
        """Until it was given all that there is, the live one is searched."""
        anew = index.replacement()
        assert self.found(index, "turbine")[0] == [1]
        anew.keyword.apply(change_of(4, {7: "turbine", 8: "gate", 9: "pump"}, since=0))
        for opened in (anew, self.open(name)):
            assert self.found(opened, "turbine")[0] == [7]
            assert (opened.count(), opened.visible_revision) == (3, 4)

    def test_deletes_what_is_its_own(self, index: ServerIndex, name: str) -> None:
        """And what bears its name and more behind a hyphen: that is of the same collection."""
        own, others = self.open(f"{name}-b"), self.open(f"{name}b")
        for opened in (own, others):
            opened.keyword.apply(change_of(1, TEXTS))
        index.delete()
        assert [self.open(opened).count() for opened in (name, f"{name}-b", f"{name}b")] == [0, 0, len(TEXTS)]
        others.delete()
        self.open(name).delete()
