"""Bringing a picture to the size and channels of a canvas."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps


def fit(picture: Image.Image, width: int, height: int, channels: int) -> np.ndarray:
    """The picture cropped around its centre to the shape of the canvas and resampled (Lanczos): uint8 [H, W, C]."""
    picture = picture.convert("L" if channels == 1 else "RGB")
    fitted = ImageOps.fit(picture, (width, height), method=Image.Resampling.LANCZOS)
    return np.asarray(fitted).reshape(height, width, channels)
