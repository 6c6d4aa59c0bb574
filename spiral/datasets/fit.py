"""A picture of any size on the shape of a canvas."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from spiral.picture_file import WHITE, on_background


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
