"""A picture of any size on the shape of a canvas."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from spiral.picture_file import WHITE, on_background
from spiral.program import MAX_PAINTED_SIDE

ENOUGH = 2 * MAX_PAINTED_SIDE  # pixels of a picture's shorter side: of larger ones no canvas shows more


def fit(
    picture: Image.Image,
    width: int,
    height: int,
    channels: int,
    background: tuple[float, float, float] = WHITE,
) -> np.ndarray:
    """The picture cropped around its centre to the shape of the canvas and resampled (Lanczos): uint8 [H, W, C].

    What is transparent shows the background, (red, green, blue), each in 0..1.
    """
    fitted = ImageOps.fit(
        on_background(picture, channels, background), (width, height), method=Image.Resampling.LANCZOS
    )
    return np.asarray(fitted).reshape(height, width, channels)


def pad(
    picture: Image.Image,
    width: int,
    height: int,
    channels: int,
    background: tuple[float, float, float] = WHITE,
) -> np.ndarray:
    """The whole picture in the middle of the canvas, as large as it fits, resampled (Lanczos): uint8 [H, W, C].

    Around it and where it is transparent is the background, (red, green, blue), each in 0..1.
    """
    scale = min(width / picture.width, height / picture.height)
    size = [max(1, round(scale * side)) for side in picture.size]
    resized = on_background(picture, channels, background).resize(size, Image.Resampling.LANCZOS)
    ground = tuple(round(255 * level) for level in background[:channels])
    padded = Image.new(resized.mode, (width, height), ground)
    padded.paste(resized, ((width - resized.width) // 2, (height - resized.height) // 2))
    return np.asarray(padded).reshape(height, width, channels)
