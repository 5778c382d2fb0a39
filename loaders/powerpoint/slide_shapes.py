"""The shapes of a slide in reading order, groups opened, each with its place on the slide."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from penstock.model import Box

ROW_SHARE = 0.03
"""Shapes whose tops differ by less than this share of the slide's height are in one row, read left to right."""
MAX_GROUP_DEPTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedShape:
    """A shape that is no group, and its place; None where the deck does not give it."""

    shape: Any
    box: Box | None


@dataclass(frozen=True, slots=True)
class _Mapping:
    """From the coordinates inside a group to fractions of the slide."""

    x: float
    y: float
    scale_x: float
    scale_y: float

    def box(self, shape: Any) -> tuple[float, float, float, float] | None:
        left, top, width, height = shape.left, shape.top, shape.width, shape.height
        if left is None or top is None or width is None or height is None:
            return None
        return (
            self.x + left * self.scale_x,
            self.y + top * self.scale_y,
            self.x + (left + width) * self.scale_x,
            self.y + (top + height) * self.scale_y,
        )

    def inside(self, group: Any) -> "_Mapping":
        from pptx.oxml.ns import qn

        transform = group._element.find(f"{qn('p:grpSpPr')}/{qn('a:xfrm')}")
        box = self.box(group)
        offset = transform.find(qn("a:chOff")) if transform is not None else None
        extent = transform.find(qn("a:chExt")) if transform is not None else None
        if box is None or offset is None or extent is None or not int(extent.get("cx")) or not int(extent.get("cy")):
            return self
        scale_x = (box[2] - box[0]) / int(extent.get("cx"))
        scale_y = (box[3] - box[1]) / int(extent.get("cy"))
        return _Mapping(
            box[0] - int(offset.get("x")) * scale_x, box[1] - int(offset.get("y")) * scale_y, scale_x, scale_y
        )


def laid_out(shapes: Iterable[Any], width: int, height: int) -> list[PlacedShape]:
    """All shapes by position, top to bottom and left to right; what is grouped stays together.

    `width` and `height` are those of the slide, in the deck's own units.
    """
    return _ordered(shapes, _Mapping(0.0, 0.0, 1 / width, 1 / height), MAX_GROUP_DEPTH)


def is_title(shape: Any) -> bool:
    """Whether a shape holds the title of its slide."""
    return _placeholder(shape) in ("TITLE", "CENTER_TITLE", "VERTICAL_TITLE")


def is_margin(shape: Any) -> bool:
    """Whether a shape is a footer, date or slide number."""
    return _placeholder(shape) in ("FOOTER", "DATE", "SLIDE_NUMBER", "HEADER")


def is_body(shape: Any) -> bool:
    """Whether a shape is a body placeholder, whose paragraphs have bullets unless they say otherwise."""
    return _placeholder(shape) in ("BODY", "OBJECT", "VERTICAL_BODY", "VERTICAL_OBJECT")


def _placeholder(shape: Any) -> str:
    if not shape.is_placeholder:
        return ""
    kind = shape.placeholder_format.type
    return kind.name if kind is not None else ""


def _ordered(shapes: Iterable[Any], mapping: _Mapping, depth: int) -> list[PlacedShape]:
    placed = [(shape, mapping.box(shape)) for shape in shapes]
    # Shapes without a position keep their place behind the others; Python's sort is stable.
    placed.sort(key=lambda pair: _reading_key(pair[1]))
    frames: list[PlacedShape] = []
    for shape, box in placed:
        if shape._element.tag.endswith("}grpSp") and depth:
            frames += _ordered(shape.shapes, mapping.inside(shape), depth - 1)
        else:
            frames.append(PlacedShape(shape=shape, box=_on_slide(box)))
    return frames


def _reading_key(box: tuple[float, float, float, float] | None) -> tuple[float, float]:
    if box is None:
        return (float("inf"), 0.0)
    return (round(box[1] / ROW_SHARE), box[0])


def _on_slide(box: tuple[float, float, float, float] | None) -> Box | None:
    """The part of a box that lies on the slide; shapes are often parked outside it."""
    if box is None:
        return None
    left, top, right, bottom = (round(min(max(value, 0.0), 1.0), 4) for value in box)
    return Box(left, top, right, bottom) if left < right and top < bottom else None
