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
    """A given picture: its file's name, the canvas it fits on, and its pixels there, uint8 [H, W, C]."""

    name: str
    canvas: CanvasSpec
    pixels: np.ndarray


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
    background = tuple(1.0 - level for level in canvas.background) if inverted else canvas.background
    pixels = FITS[how](picture, canvas.width, canvas.height, canvas.channels, background)
    return Target(_shown(file), canvas, 255 - pixels if inverted else pixels)


def _shown(file: str) -> str:
    """The file's name without its folder; a name may hold bytes that are no text."""
    return os.fsencode(Path(file).name).decode("utf-8", "replace")
