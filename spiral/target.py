"""A picture that someone hands to a painter, on the painter's canvas."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spiral.canvas import CanvasSpec
from spiral.datasets import INVERT
from spiral.datasets.fit import ENOUGH, fit, pad
from spiral.picture_file import open_picture
from spiral.tiles import tiled

FITS = {"pad": pad, "crop": fit}
"""How a picture comes to the shape of a canvas: whole, with the background around it, or cropped around its centre."""


class Target(NamedTuple):
    """A given picture: its file's name, the canvas it fits on, and its pixels there, uint8 [H, W, C].

    ``negative``: most of it is nearer to the canvas's background once dark and light are swapped.
    """

    name: str
    canvas: CanvasSpec
    pixels: np.ndarray
    negative: bool = False

    @property
    def advice(self) -> str | None:
        """What whoever gave it may have meant, if that is not what will be painted."""
        if not self.negative or self.canvas.channels > 1:  # a photograph in colour may have any ground
            return None
        return (
            f"{self.name}: most of it is ink, not background; if that is the wrong way round, give {self.name}{INVERT}"
        )


def read_target(path: str, canvas: CanvasSpec, how: str = "pad", tiles: int | None = None) -> Target:
    """A picture from an image file.

    Args:
        path: of the file; with ``:invert`` behind it, dark and light are swapped.
        canvas: the painter's.
        how: one of `FITS`.
        tiles: painter's canvases along one side of the picture; the target's canvas is then as large, see `tiled`.

    Raises:
        InputError: the file cannot be used, or a canvas of so many tiles cannot be painted; the message names it.
    """
    file = path.removesuffix(INVERT)
    picture = open_picture(file, at_least=ENOUGH)
    if tiles is not None:
        canvas = tiled(canvas, picture.size, tiles, file)
    inverted = file != path
    opposite = tuple(1.0 - level for level in canvas.background)
    background = opposite if inverted else canvas.background
    pixels = FITS[how](picture, canvas.width, canvas.height, canvas.channels, background)
    without_margins = fit(picture, canvas.width, canvas.height, canvas.channels, background)
    negative = not inverted and _distance(without_margins, opposite) < _distance(without_margins, background)
    return Target(_shown(file), canvas, 255 - pixels if inverted else pixels, negative)


def _distance(pixels: np.ndarray, color: tuple[float, ...]) -> float:
    """From the median of the pixels to a colour, in 1/255."""
    return np.abs(np.median(pixels, axis=(0, 1)) - 255 * np.array(color[: pixels.shape[2]])).sum()


def _shown(file: str) -> str:
    """The file's name without its folder; a name may hold bytes that are no text."""
    return os.fsencode(Path(file).name).decode("utf-8", "replace")
