"""Real pictures to learn from, one dataset per file: uint8 [N, H, W, C], as they look on paper.

A dataset is a function of the split that gives its pictures one by one, each with its label; a new one is a new file
here with one ``@DATASETS.register("name")`` line. Whatever their source, all pictures are brought to the canvas's
size and channels in the same place, so that a real picture and a painted canvas differ in nothing but the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from spiral.datasets.array_file import pictures_in_array_file
from spiral.datasets.fit import fit
from spiral.datasets.folder import pictures_in_folder
from spiral.datasets.split import SPLITS
from spiral.errors import InputError
from spiral.registry import Registry, unknown

DATASETS = Registry("dataset", "spiral.datasets")

Dataset = Callable[[str], Iterable[tuple[Image.Image, int | None]]]
"""From "train" or "test" to pairs of a picture and its label; the labels are all None where there are none."""


@dataclass(frozen=True)
class Pictures:
    """One split of a dataset, ready to be compared with canvases."""

    name: str
    images: np.ndarray  # uint8 [N, H, W, C], row-major, C 1 (grey) or 3 (RGB)
    labels: np.ndarray | None  # int64 [N]

    def __len__(self) -> int:
        return len(self.images)


def load_pictures(data: str, split: str, *, width: int, height: int, channels: int, invert: bool = False) -> Pictures:
    """The pictures of one split at the size of a canvas; the same ones in the same order at every call.

    Args:
        data: a registered name ("digits"), a folder of image files, or an ``.npz`` file with an array ``images``.
            A registered name wins over a folder of the same name; write ``./digits`` for the folder.
        split: "train", or "test" for those held out from training.
        width, height: pixels. Pictures of another shape are cropped around their centre, never squeezed.
        channels: 1 for grey, 3 for RGB.
        invert: swap light and dark, for white ink on black ground.

    Raises:
        InputError: no such data, or a file in it cannot be used; the message names it.
    """
    if split not in SPLITS:
        raise InputError(unknown("split", split, list(SPLITS)))
    if channels not in (1, 3):
        raise InputError(f"channels is {channels!r}; give 1 (grey) or 3 (RGB)")
    if min(width, height) < 1:
        raise InputError(f"pictures cannot be {width}x{height} pixels; give a width and height of at least 1")
    pairs = [(fit(picture, width, height, channels), label) for picture, label in _dataset(str(data))(split)]
    images = np.stack([image for image, _ in pairs])
    labels = [label for _, label in pairs]
    return Pictures(
        name=str(data),
        images=255 - images if invert else images,
        labels=None if None in labels else np.array(labels, dtype=np.int64),
    )


def _dataset(data: str) -> Dataset:
    if data in DATASETS.names():
        return DATASETS.get(data)
    path = Path(data)
    if path.is_dir():
        return partial(pictures_in_folder, path)
    if path.is_file() and path.suffix.lower() == ".npz":
        return partial(pictures_in_array_file, path)
    raise InputError(f"{unknown('dataset', data, DATASETS.names())} (or give a folder of image files, or an .npz file)")
