"""A large canvas as overlapping patches, each as large as a painter's own canvas."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.program import MAX_PAINTED_SIDE, MIN_PAINTED_SIDE
from spiral.stroke import Stroke
from spiral.words import counted

MOST_TILES = MAX_PAINTED_SIDE // MIN_PAINTED_SIDE  # along one side


class Patch(NamedTuple):
    """A part of the canvas ``whole``, ``left`` and ``top`` pixels from its corner, as large as the canvas ``own``."""

    left: int
    top: int
    own: CanvasSpec
    whole: CanvasSpec

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Its part of a picture of the whole [H, W, C]: a view."""
        return pixels[self.top : self.top + self.own.height, self.left : self.left + self.own.width]

    def overlaps(self, other: Patch) -> bool:
        """Whether a patch of the same size has pixels in common with it."""
        return abs(self.left - other.left) < self.own.width and abs(self.top - other.top) < self.own.height

    def on_whole(self, stroke: Stroke) -> Stroke:
        """A stroke painted on the patch, as a stroke of the whole: the very same pixels, and none cut off."""
        own, whole = self.own, self.whole
        return stroke.placed(
            self.left / own.width,
            self.top / own.height,
            whole.width / own.width,
            whole.height / own.height,
            min(own.width, own.height) / min(whole.width, whole.height),
        )


def tiled(canvas: CanvasSpec, size: tuple[int, int], tiles: int, name: str) -> CanvasSpec:
    """A canvas of the shape of a picture of this size, (width, height): nothing is cropped, squeezed or padded.

    It is just ``tiles`` canvases wide or high, and in the other direction at least as many.

    Raises:
        InputError: it is larger than a program's may be; the message calls the picture by this name.
    """
    scale = max(tiles * canvas.width / size[0], tiles * canvas.height / size[1])
    width, height = (round(scale * side) for side in size)
    if max(width, height) > MAX_PAINTED_SIDE:
        fewer = int(tiles * MAX_PAINTED_SIDE / max(width, height))
        advice = f"give at most {counted(fewer, 'tile')}" if fewer else "such a long one cannot be painted by tiles"
        raise InputError(
            f"{name}: a canvas for it of {counted(tiles, 'tile')} is {width} x {height} pixels, at most "
            f"{MAX_PAINTED_SIDE} are accepted; {advice}"
        )
    return dataclasses.replace(canvas, width=width, height=height)


def patches(canvas: CanvasSpec, whole: CanvasSpec) -> list[Patch]:
    """Patches as large as ``canvas`` that cover ``whole`` several times, in the order they are painted.

    First a grid, then those half-way between its patches along x, y and both. Whatever a painter does differently near
    the borders of its canvas, every place is far from the borders of one of them. Each of these four goes row by row,
    or column by column where only those that lie above each other do not overlap, see `apart`.
    """
    rows, columns = _places(canvas.height, whole.height), _places(canvas.width, whole.width)
    grids = list(itertools.product((rows, _half_way(rows)), (columns, _half_way(columns))))
    if whole.width % canvas.width == 0:
        places = [(left, top) for tops, lefts in grids for top in tops for left in lefts]
    else:
        places = [(left, top) for tops, lefts in grids for left in lefts for top in tops]
    return [Patch(*place, canvas, whole) for place in dict.fromkeys(places)]


def apart(parts: Sequence[Patch], most: int) -> list[list[Patch]]:
    """The patches in their order, in groups of at most ``most`` of which no two overlap."""
    groups: list[list[Patch]] = []
    for part in parts:
        if not groups or len(groups[-1]) == most or any(map(part.overlaps, groups[-1])):
            groups.append([])
        groups[-1].append(part)
    return groups


def _places(part: int, length: int) -> list[int]:
    """Where parts begin that cover a length evenly, as few of them as can."""
    return [round(place) for place in np.linspace(0, length - part, math.ceil(length / part))]


def _half_way(places: Sequence[int]) -> list[int]:
    return [(before + after) // 2 for before, after in itertools.pairwise(places)]
