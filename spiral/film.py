"""Pictures of paintings: a PNG, a sheet of many, a GIF of one being painted."""

from __future__ import annotations

import bisect
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spiral import checks
from spiral.errors import InputError
from spiral.files import written_whole
from spiral.geometry import arc_length
from spiral.program import Program, blank_canvas, replay
from spiral.stroke import Stroke
from spiral.svg import save_svg

SHEET_TILE = 64  # pixels of a small canvas on a sample sheet
SHEET_SIDE = 680  # pixels of a sample sheet, about
FRAMES = 60
FRAME_MS = 50
LAST_MS = 2000
MAX_GIF_SIDE = 1024  # pixels; all frames are in memory at once
ALIKE = 0xF8F8F8  # colours are alike that differ only in the last three bits
GAP_LEVEL = 200  # grey between the tiles of a sheet, so that white canvases show their edges
CAPTION_HEIGHT = 14  # pixels


def save_png(pixels: np.ndarray, path: str | os.PathLike) -> None:
    """Write one picture, uint8 [H, W, C] with C = 1 or 3, as PNG.

    Raises:
        InputError: it is no such array, or cannot be written there.
    """
    image = _image(pixels)
    with written_whole(path) as beside:
        image.save(beside, format="PNG")


def contact_sheet(
    images: np.ndarray, columns: int = 8, scale: int = 1, gap: int = 2, captions: Sequence[str] | None = None
) -> np.ndarray:
    """Many pictures as one, row by row.

    Args:
        images: uint8 [N, H, W, C]
        columns: how many beside each other, at least 1.
        scale: pixels of the sheet for each pixel, at least 1.
        gap: pixels of the sheet between pictures and around them.
        captions: a line under each; cut at the picture's width.

    Returns:
        uint8 [height, width, C]

    Raises:
        InputError: an argument is out of range, or there are no pictures, or not as many captions as pictures.
    """
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] not in (1, 3) or not len(images):
        raise InputError(f"images must be uint8 [N, H, W, 1 or 3] with N > 0, got {_shown(images)}")
    for value, name, least in ((columns, "columns", 1), (scale, "scale", 1), (gap, "gap", 0)):
        checks.integer(value, name, least, 1000)
    if captions is not None and len(captions) != len(images):
        raise InputError(f"captions must be one for each of the {len(images)} images, got {len(captions)}")
    tiles = images.repeat(scale, axis=1).repeat(scale, axis=2)
    if captions is not None:
        tiles = np.stack([_captioned(tile, caption) for tile, caption in zip(tiles, captions, strict=True)])
    n, height, width, channels = tiles.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), GAP_LEVEL, np.uint8)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def sample_sheet(images: np.ndarray) -> np.ndarray:
    """The first of many canvases uint8 [N, H, W, C], as many as make a square sheet good to look at on a screen."""
    side = max(images.shape[1:3])
    scale = max(1, round(SHEET_TILE / side))
    columns = max(1, min(math.ceil(math.sqrt(len(images))), SHEET_SIDE // (side * scale)))
    return contact_sheet(images[: columns**2], columns, scale)


def painting_frames(
    program: Program, frames: int = FRAMES, size: int | None = None, renderer: str | None = None
) -> Iterator[np.ndarray]:
    """A program being painted at an even pace: the blank canvas, then ``frames`` pictures, the last one the replay.

    Arguments otherwise, pictures and errors as of `spiral.program.replay`.
    """
    checks.integer(frames, "frames", 1, 10_000)
    canvas = blank_canvas(program, size, renderer)
    yield canvas.pixels()
    if not program.strokes:
        return
    ends = list(itertools.accumulate(_effort(stroke) for stroke in program.strokes))
    finished = 0
    for i in range(1, frames):
        now = ends[-1] * i / frames
        current = bisect.bisect_right(ends, now)
        for stroke in program.strokes[finished:current]:
            canvas.draw(stroke)
        finished = current
        stroke = program.strokes[current]
        before = canvas.memory.copy()
        canvas.draw(stroke.until(1.0 - (ends[current] - now) / _effort(stroke)))
        yield canvas.pixels()
        canvas.memory[...] = before
    for stroke in program.strokes[finished:]:
        canvas.draw(stroke)
    yield canvas.pixels()


def save_gif(
    frames: Iterable[np.ndarray], path: str | os.PathLike, frame_ms: int = FRAME_MS, last_ms: int = LAST_MS
) -> None:
    """Write pictures, each uint8 [H, W, C], as an endless GIF that rests on the last one.

    Raises:
        InputError: there are none, one is no such array, or the file cannot be written there.
    """
    pictures = [_image(frame) for frame in frames]
    if not pictures:
        raise InputError("a GIF must have at least one frame, got none")
    if pictures[0].mode == "RGB":
        palette = _palette(pictures)
        pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    durations = [frame_ms] * (len(pictures) - 1) + [last_ms]
    with written_whole(path) as beside:
        pictures[0].save(
            beside, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
        )


def writer_for(path: str | os.PathLike) -> Callable[..., None]:
    """The function that writes a painting to a file of this suffix: ``(program, path, size=None, renderer=None)``.

    Its arguments otherwise are those of `spiral.program.replay`.

    Raises:
        InputError: no such suffix; the message lists the accepted ones.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"cannot write {path}: unknown suffix {suffix!r}; accepted: {', '.join(WRITERS)}")
    return WRITERS[suffix]


def _write_png(program, path, size=None, renderer=None) -> None:
    save_png(replay(program, size, renderer), path)


def _write_gif(program, path, size=None, renderer=None) -> None:
    if size is not None and size > MAX_GIF_SIDE:
        raise InputError(f"a GIF has at most {MAX_GIF_SIDE} pixels a side, got size {size}; give a smaller size")
    save_gif(painting_frames(program, size=size, renderer=renderer), path)


def _write_svg(program, path, size=None, renderer=None) -> None:
    if renderer is not None:
        raise InputError(f"an SVG is not drawn by a renderer, got {renderer!r}; leave it out or write a .png")
    save_svg(program, path, size)


WRITERS = {".png": _write_png, ".gif": _write_gif, ".svg": _write_svg}


def _effort(stroke: Stroke) -> float:
    """How long a stroke takes to paint: its length, and a little for putting the brush down."""
    return 0.05 + arc_length(stroke.start, stroke.control, stroke.end, tolerance=1e-3)


def _palette(pictures: list[Image.Image]) -> Image.Image:
    """256 colours that serve all frames, so that nothing flickers: the commonest, none like another.

    Not averaged ones, which would tint the background; and not alike, because Pillow confuses those.
    """
    thinning = max(1, max(pictures[0].size) // 256)
    some = [np.asarray(picture)[::thinning, ::thinning] for picture in pictures[:: -max(1, len(pictures) // 8)]]
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in some]).astype(np.uint32)
    codes, counts = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32), return_counts=True)
    commonest = codes[np.argsort(-counts, kind="stable")]
    _, first_alike = np.unique(commonest & ALIKE, return_index=True)
    chosen = commonest[np.sort(first_alike)[:256]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([int(code) >> shift & 255 for code in chosen for shift in (16, 8, 0)])
    return palette


def _captioned(tile: np.ndarray, caption: str) -> np.ndarray:
    height, width, _ = tile.shape
    label = Image.new("L", (width, CAPTION_HEIGHT), 255)
    ImageDraw.Draw(label).text((2, 1), caption, fill=0, font=ImageFont.load_default_imagefont())
    return np.concatenate([tile, np.broadcast_to(np.asarray(label)[..., None], (CAPTION_HEIGHT, *tile.shape[1:]))])


def _image(pixels: np.ndarray) -> Image.Image:
    if pixels.ndim != 3 or pixels.dtype != np.uint8 or pixels.shape[-1] not in (1, 3):
        raise InputError(f"a picture must be uint8 [H, W, 1 or 3], got {_shown(pixels)}")
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _shown(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"
