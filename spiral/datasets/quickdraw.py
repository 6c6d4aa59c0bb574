"""Drawings of the game Quick, Draw! as pictures: the published bitmaps, and the published strokes drawn with a pen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from spiral.datasets.split import members
from spiral.errors import InputError
from spiral.interchange import format_of, load_drawings
from spiral.program import Program, blank_canvas

SIDE = 28  # pixels of a bitmap
MOST_DRAWINGS = 20_000  # of a file of strokes, where a drawing takes a millisecond or more
MARGIN = 1 / 16  # of the picture's side, around the strokes: half a pen would fall outside without it


def is_bitmaps(path: Path) -> bool:
    """Whether it is a file of bitmaps, or a folder of such."""
    return bool(_files(path, ".npy"))


def is_strokes(path: Path) -> bool:
    """Whether it is a file of strokes, or a folder of such."""
    return bool(_files(path, ".ndjson"))


def pictures_in_bitmaps(path: Path, split: str) -> Iterator[tuple[Image.Image, int | None]]:
    """Quick, Draw! bitmaps, or a folder of them, where each file is a label; turned to black on white.

    A tenth of each file is held out.

    Raises:
        InputError: a file is none of uint8 [N, 784].
    """
    files = _files(path, ".npy")
    for label, file in enumerate(files):
        bitmaps = _bitmaps(file)
        for i in members([f"{file.name} {i}" for i in range(len(bitmaps))], split):
            yield Image.fromarray(255 - bitmaps[i].reshape(SIDE, SIDE)), label if path.is_dir() else None


def pictures_in_strokes(path: Path, split: str) -> Iterator[tuple[Image.Image, int | None]]:
    """Quick, Draw! strokes, drawn black on white, or a folder of them; the first 20,000 of a file.

    A tenth of each file is held out. In a folder each file is a label.

    Raises:
        InputError: a drawing cannot be read; the message names file and drawing.
    """
    for label, file in enumerate(_files(path, ".ndjson")):
        count = _count(file)
        chosen = set(members([f"{file.name} {i}" for i in range(count)], split))
        for i, drawing in enumerate(itertools.islice(load_drawings(file), count)):
            if i in chosen:
                yield Image.fromarray(drawn_in_the_middle(drawing.program)), label if path.is_dir() else None


def drawn_in_the_middle(program: Program) -> np.ndarray:
    """The strokes moved and scaled, alike along x and y, to fill a square canvas but for a margin: uint8 [H, W]."""
    points = np.array([(*stroke.start, *stroke.control, *stroke.end) for stroke in program.strokes]).reshape(-1, 2)
    canvas = blank_canvas(program)
    if len(points):
        low, high = points.min(axis=0), points.max(axis=0)
        scale = (1.0 - 2.0 * MARGIN) / max(*(high - low), 1 / canvas.spec.width)
        placed = (0.5 + scale * (points - (low + high) / 2.0)).reshape(-1, 6)
        for curve, stroke in zip(placed.tolist(), program.strokes, strict=True):
            brush = stroke.brush
            canvas.draw_curve(*curve, brush.width, *brush.pressure, *brush.color, brush.opacity)
    return canvas.pixels()[..., 0]


def _count(path: Path) -> int:
    try:
        return sum(1 for _ in itertools.islice(format_of(path).records(path), MOST_DRAWINGS))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


def _files(path: Path, suffix: str) -> list[Path]:
    """The file itself, or all those of a folder in which there is nothing else."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if not file.name.startswith("."))
    return files if all(file.suffix.lower() == suffix and file.is_file() for file in files) else []


def _bitmaps(path: Path) -> np.ndarray:
    try:
        bitmaps = np.lib.format.open_memmap(path, mode="r")
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} is no .npy file of a plain array ({error}); fetch it again") from None
    if bitmaps.dtype != np.uint8 or bitmaps.ndim != 2 or bitmaps.shape[1] != SIDE * SIDE:
        raise InputError(
            f"{path} is {bitmaps.dtype} of shape {bitmaps.shape}; Quick, Draw! bitmaps are uint8 [N, {SIDE * SIDE}]; "
            "write other pictures as .npz, with an array 'images'"
        )
    return bitmaps
