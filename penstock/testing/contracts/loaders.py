"""The contract of loaders: subclass `LoaderContract` and give it a loader and a file that it reads."""

import io
import pickle
import re
from contextlib import suppress

import pytest

from penstock.errors import SourceError
from penstock.model import Extraction, FileKind
from penstock.model.kinds import MEDIA_TYPE
from penstock.ports import Loader
from penstock.testing.doubles.files import source_of

ENDING = re.compile(r"\.[^.\sA-Z/]+")


def read(loader: Loader, content: bytes) -> Extraction:
    """What a loader reads from bytes in memory, of the kind that it states first."""
    return loader.load(source_of(content, media_type=loader.takes[0].media_type), io.BytesIO(content))


def texts(extraction: Extraction, kind: str = "") -> list[str]:
    """The text of each block, or of each block of one kind."""
    return [
        extraction.text[block.span.start : block.span.end]
        for block in extraction.blocks
        if not kind or block.kind == kind
    ]


class LoaderContract:
    """What every loader keeps to; fixtures `loader` and `sample` come from the subclass."""

    @pytest.fixture
    def loader(self) -> Loader:
        """The loader under test."""
        raise NotImplementedError

    @pytest.fixture
    def sample(self) -> bytes:
        """A file that the loader reads, with some text in it."""
        raise NotImplementedError

    def test_what_it_takes_is_stated_by_its_class(self, loader: Loader) -> None:
        """Some kinds of files, each with its media type, known before a loader is made."""
        assert getattr(type(loader), "takes", None) == loader.takes
        assert isinstance(loader.takes, tuple)
        assert loader.takes
        for kind in loader.takes:
            assert isinstance(kind, FileKind)
            assert re.fullmatch(MEDIA_TYPE, kind.media_type)
            assert all(ENDING.fullmatch(suffix) for suffix in kind.suffixes)
            assert all(kind.magic)

    def test_blocks_lie_in_the_text_in_order(self, loader: Loader, sample: bytes) -> None:
        """Spans follow each other, and none is blank or starts or ends with white space."""
        extraction = read(loader, sample)
        assert extraction.blocks
        end = 0
        for block in extraction.blocks:
            text = extraction.text[block.span.start : block.span.end]
            assert end <= block.span.start < block.span.end <= len(extraction.text)
            assert text == text.strip()
            end = block.span.end

    def test_places_are_pages_that_exist(self, loader: Loader, sample: bytes) -> None:
        """Pages count from 1, boxes are fractions of a page."""
        for block in read(loader, sample).blocks:
            for place in block.places:
                assert place.page >= 1
                assert place.box is None or (
                    0 <= place.box.left <= place.box.right <= 1 and 0 <= place.box.top <= place.box.bottom <= 1
                )

    def test_the_same_bytes_give_the_same_extraction(self, loader: Loader, sample: bytes) -> None:
        """Reading depends on the bytes alone, and its result can be sent from one process to another."""
        extraction = read(loader, sample)
        assert read(loader, sample) == extraction
        assert pickle.loads(pickle.dumps(extraction)) == extraction  # noqa: S301 - its own bytes

    def test_fingerprint_is_one_line_and_stays(self, loader: Loader) -> None:
        """A fingerprint is asked for often, and compared as text."""
        assert loader.fingerprint == loader.fingerprint
        assert loader.fingerprint.isprintable()
        assert loader.fingerprint

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
    def test_a_cut_file_is_read_in_part_or_refused(self, loader: Loader, sample: bytes, share: float) -> None:
        """Damage costs the document and never raises anything but a `SourceError`."""
        with suppress(SourceError):
            read(loader, sample[: int(len(sample) * share)])

    @pytest.mark.parametrize("step", [97, 389])
    def test_scattered_damage_is_read_in_part_or_refused(self, loader: Loader, sample: bytes, step: int) -> None:
        """Wrong bytes here and there never raise anything but a `SourceError`."""
        damaged = bytearray(sample)
        for position in range(len(damaged) // 8, len(damaged), step):
            damaged[position] ^= 0x55
        with suppress(SourceError):
            read(loader, bytes(damaged))
