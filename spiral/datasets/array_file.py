"""Pictures in an ``.npz`` file: an array ``images`` and, if there are any, ``labels``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from spiral.datasets.split import members
from spiral.errors import InputError
from spiral.files import read_arrays


def pictures_in_array_file(path: Path, split: str) -> Iterator[tuple[Image.Image, int | None]]:
    """An array 'images', uint8 [N, H, W] or [N, H, W, 3], taken as it is, and 'labels' if there are any.

    A tenth is held out.

    Raises:
        InputError: not an ``.npz`` file, or an array in it is missing, of another type or of another shape.
    """
    images, labels = _arrays(path)
    for i in members([str(i) for i in range(len(images))], split):
        yield Image.fromarray(images[i]), None if labels is None else int(labels[i])


def _arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    try:
        found = read_arrays(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is no .npz file of plain arrays ({error}); write it with numpy.savez") from None
    if "images" not in found:
        raise InputError(f"{path} has no array 'images'; it has: {', '.join(found) or 'none'}")
    images, labels = found["images"], found.get("labels")
    if images.dtype != np.uint8:
        raise InputError(f"'images' in {path} is {images.dtype}; give uint8 values 0..255")
    grey = images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 1)
    if not (grey or (images.ndim == 4 and images.shape[-1] == 3)) or 0 in images.shape:
        raise InputError(f"'images' in {path} has shape {images.shape}; give [N, H, W], [N, H, W, 1] or [N, H, W, 3]")
    if labels is not None and (labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]):
        raise InputError(
            f"'labels' in {path} is {labels.dtype} of shape {labels.shape}; "
            f"give one integer for each of the {len(images)} pictures"
        )
    return images.reshape(images.shape[:3]) if grey else images, labels
