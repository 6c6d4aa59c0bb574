"""Parts of pictures, for a painter that will paint large ones patch by patch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image, ImageOps

from spiral.picture_file import on_background

OF_EACH = 8  # patches of a picture
SIDES = 1 / 8, 1 / 2  # of the picture's shorter side, by equal ratios: of a large part or of a detail
FULL = 0.35, 1.0  # how much is left of the difference to the paper, so that all greys are seen


def patches(
    pairs: Iterable[tuple[Image.Image, int | None]], channels: int, paper: tuple[float, float, float]
) -> Iterator[tuple[Image.Image, int | None]]:
    """Squares at random places of each picture and of random sizes, every second mirrored, made paler by chance.

    The same ones at every call.

    Args:
        pairs: pictures and their labels.
        channels: 1 for grey, 3 for RGB.
        paper: its colour, (red, green, blue), each in 0..1: what patches become paler towards.
    """
    for number, (picture, label) in enumerate(pairs):
        chance = np.random.default_rng(number)
        opaque = on_background(picture, channels, paper)
        for mirrored in OF_EACH // 2 * (False, True):
            patch = _patch(opaque, chance)
            yield _paler(ImageOps.mirror(patch) if mirrored else patch, paper, chance.uniform(*FULL)), label


def _patch(picture: Image.Image, chance: np.random.Generator) -> Image.Image:
    share = np.exp(chance.uniform(*np.log(SIDES)))
    side = max(1, round(share * min(picture.size)))
    left, top = (int(chance.integers(0, length - side + 1)) for length in picture.size)
    return picture.crop((left, top, left + side, top + side))


def _paler(picture: Image.Image, paper: tuple[float, float, float], full: float) -> Image.Image:
    ground = tuple(round(255 * level) for level in paper[: len(picture.getbands())])
    return Image.blend(Image.new(picture.mode, picture.size, ground), picture, full)
