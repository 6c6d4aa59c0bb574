"""Pictures of paintings: a PNG of one, a sheet of many."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from spiral import checks
from spiral.errors import InputError
from spiral.files import written_whole

SHEET_TILE = 64  # pixels of a small canvas on a sample sheet
SHEET_SIDE = 680  # pixels of a sample sheet, about
GAP_LEVEL = 200  # grey between the tiles of a sheet, so that white canvases show their edges
MOST_PAIRS, MOST_PAIRS_ACROSS = 50, 5
CAPTION_HEIGHT = 14  # pixels


def save_png(pixels: np.ndarray, path: str | os.PathLike) -> None:
    """Write one picture, uint8 [H, W, C] with C = 1 or 3, as PNG.

    Raises:
        InputError: it is no such array, or cannot be written there.
    """
    image = to_image(pixels)
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


def paired(pictures: np.ndarray, paintings: np.ndarray) -> np.ndarray:
    """Pictures uint8 [N, H, W, C] and what was painted of them, in turn: [2 N, H, W, C]."""
    return np.stack([pictures, paintings], axis=1).reshape(-1, *pictures.shape[1:])


def pair_sheet(pictures: Sequence[np.ndarray], paintings: Sequence[np.ndarray]) -> np.ndarray:
    """The first fifty pictures, each beside what was painted of it; all uint8 [H, W, C], of any shape."""
    count = min(len(pictures), MOST_PAIRS)
    columns = 2 * min(MOST_PAIRS_ACROSS, math.ceil(math.sqrt(count / 2)))
    small = [[_scaled(one, SHEET_SIDE // columns) for one in images[:count]] for images in (pictures, paintings)]
    height, width = (max(one.shape[axis] for images in small for one in images) for axis in (0, 1))
    return contact_sheet(
        paired(*(np.stack([centred(one, height, width, GAP_LEVEL) for one in images]) for images in small)), columns
    )


def to_image(pixels: np.ndarray) -> Image.Image:
    """Pillow's image of a picture, uint8 [H, W, C] with C = 1 or 3.

    Raises:
        InputError: it is no such array.
    """
    check_picture(pixels)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def check_picture(pixels: np.ndarray) -> None:
    """Refuse what is not uint8 [H, W, C] with C = 1 or 3.

    Raises:
        InputError: it is something else.
    """
    if pixels.ndim != 3 or pixels.dtype != np.uint8 or pixels.shape[-1] not in (1, 3):
        raise InputError(f"a picture must be uint8 [H, W, 1 or 3], got {_shown(pixels)}")


def _scaled(pixels: np.ndarray, side: int) -> np.ndarray:
    """The picture as large as fits, by a whole number if that is possible: its pixels are then seen."""
    longer = max(pixels.shape[:2])
    if longer <= side:
        return pixels.repeat(side // longer, axis=0).repeat(side // longer, axis=1)
    height, width = (max(1, round(length * side / longer)) for length in pixels.shape[:2])
    resized = to_image(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized).reshape(height, width, pixels.shape[2])


def centred(pixels: np.ndarray, height: int, width: int, around: Sequence[int] | int) -> np.ndarray:
    """A picture uint8 [H, W, C] in the middle of a larger one, ``around`` it these levels 0..255."""
    tile = np.empty((height, width, pixels.shape[2]), np.uint8)
    tile[:] = around
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    tile[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return tile


def _captioned(tile: np.ndarray, caption: str) -> np.ndarray:
    _, width, _ = tile.shape
    label = Image.new("L", (width, CAPTION_HEIGHT), 255)
    ImageDraw.Draw(label).text((2, 1), caption, fill=0, font=ImageFont.load_default_imagefont())
    return np.concatenate([tile, np.broadcast_to(np.asarray(label)[..., None], (CAPTION_HEIGHT, *tile.shape[1:]))])


def _shown(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"
