"""Real pictures to learn from, one dataset per file: uint8 [N, H, W, C], as they look on paper.

A dataset is a function of the split that gives its pictures one by one, each with its label; a new one is a new file
here with one ``@DATASETS.register("name")`` line. Whatever their source, all pictures are brought to the canvas's
size and channels in the same place, so that a real picture and a painted canvas differ in nothing but the picture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from spiral.datasets.array_file import pictures_in_array_file
from spiral.datasets.fit import fit
from spiral.datasets.folder import pictures_in_folder
from spiral.datasets.idx import is_idx, pictures_in_idx
from spiral.datasets.omniglot import is_omniglot, pictures_in_omniglot
from spiral.datasets.patches import patches
from spiral.datasets.quickdraw import is_bitmaps, is_strokes, pictures_in_bitmaps, pictures_in_strokes
from spiral.datasets.split import SPLITS
from spiral.errors import InputError
from spiral.picture_file import WHITE
from spiral.registry import Registry, unknown

DATASETS = Registry("dataset", "spiral.datasets")

Dataset = Callable[[str], Iterable[tuple[Image.Image, int | None]]]
"""From "train" or "test" to pairs of a picture and its label; the labels are all None where there are none."""


class Source(NamedTuple):
    """A kind of files that hold a dataset: how it is written, whether a path is one, and what is in it."""

    shown: str
    fits: Callable[[Path], bool]
    pictures: Callable[[Path, str], Iterable[tuple[Image.Image, int | None]]]


# Where a path fits several, the first counts.
SOURCES = (
    Source("*.npz", lambda path: path.suffix.lower() == ".npz" and path.is_file(), pictures_in_array_file),
    Source("*-images-idx3-ubyte*", is_idx, pictures_in_idx),
    Source("*.zip", is_omniglot, pictures_in_omniglot),
    Source("*.npy", is_bitmaps, pictures_in_bitmaps),
    Source("*.ndjson", is_strokes, pictures_in_strokes),
    Source("FOLDER", Path.is_dir, pictures_in_folder),
)
INVERT = ":invert"
"""Behind the name of any data: dark and light are swapped, for white ink on black. Ink is dark on white here; where a
published format says that it is white on black, the pictures come that way round already."""
PATCHES = ":patches"
"""Behind the name of any data: parts of its pictures in their place, see `patches`."""


@dataclass(frozen=True)
class Pictures:
    """One split of a dataset, ready to be compared with canvases."""

    name: str
    images: np.ndarray  # uint8 [N, H, W, C], row-major, C 1 (grey) or 3 (RGB)
    labels: np.ndarray | None  # int64 [N]

    def __len__(self) -> int:
        return len(self.images)

    def labels_of(self, classes: int) -> np.ndarray:
        """The labels, int64 [N], each one of 0 to ``classes`` - 1.

        Raises:
            InputError: the dataset has no labels, others than these, or not all of these.
        """
        if self.labels is None:
            raise InputError(
                f"the pictures of {self.name} have no labels, which classes={classes} needs; give labelled ones (see: "
                "spiral list datasets), or set env.classes=0"
            )
        if self.labels.max() >= classes:
            raise InputError(
                f"the labels of {self.name} go up to {self.labels.max()}; set env.classes={self.labels.max() + 1}, "
                f"got {classes}"
            )
        if self.labels.min() < 0:
            raise InputError(f"a label of {self.name} is {self.labels.min()}; accepted: 0 to {classes - 1}")
        return self.labels

    def of_each(self, classes: int) -> list[np.ndarray]:
        """Which pictures are of each class 0 to ``classes`` - 1: their numbers.

        Raises:
            InputError: as of ``labels_of``, or there are none of a class.
        """
        numbers = [np.flatnonzero(self.labels_of(classes) == label) for label in range(classes)]
        for label, found in enumerate(numbers):
            if not len(found):
                raise InputError(
                    f"no picture of {self.name} has label {label}; classes={classes} needs 0 to {classes - 1}"
                )
        return numbers


def load_pictures(
    data: str,
    split: str,
    *,
    width: int,
    height: int,
    channels: int,
    background: tuple[float, float, float] = WHITE,
) -> Pictures:
    """The pictures of one split at the size of a canvas; the same ones in the same order at every call.

    Args:
        data: a registered name ("digits"), or the path of one of `SOURCES`; with ``:patches`` behind it parts of its
            pictures are given, with ``:invert`` dark and light are swapped. A registered name wins over a folder of the same name; write ``./digits`` for the folder.
        split: "train", or "test" for those held out from training.
        width, height: pixels. Pictures of another shape are cropped around their centre, never squeezed.
        channels: 1 for grey, 3 for RGB.
        background: of the canvas, (red, green, blue), each in 0..1; it shows where a picture is transparent.

    Raises:
        InputError: no such data, or a file in it cannot be used; the message names it.
    """
    if split not in SPLITS:
        raise InputError(unknown("split", split, list(SPLITS)))
    if channels not in (1, 3):
        raise InputError(f"channels is {channels!r}; give 1 (grey) or 3 (RGB)")
    if min(width, height) < 1:
        raise InputError(f"pictures cannot be {width}x{height} pixels; give a width and height of at least 1")
    name, suffixes = _parts(str(data))
    invert = INVERT in suffixes
    ground = tuple(1.0 - level for level in background) if invert else background
    pairs = _dataset(name)(split)
    if PATCHES in suffixes:
        pairs = patches(pairs, channels, ground)
    pairs = [(fit(picture, width, height, channels, ground), label) for picture, label in pairs]
    images = np.stack([image for image, _ in pairs])
    labels = [label for _, label in pairs]
    return Pictures(
        name=str(data),
        images=255 - images if invert else images,
        labels=None if None in labels else np.array(labels, dtype=np.int64),
    )


def without_folders(data: str) -> str:
    """What a file that is given away says of its data: no folders of the machine it was made on."""
    name, _ = _parts(data)
    shown = Path(name).name
    here = "./" if shown in DATASETS.names() and shown != name else ""
    return here + shown + data[len(name) :]


def descriptions() -> dict[str, str]:
    """What ``data`` may be: all registered names and all kinds of files, a line on each."""
    described = {name: DATASETS.get(name) for name in DATASETS.names()}
    described |= {source.shown: source.pictures for source in SOURCES}
    lines = {name: inspect.getdoc(pictures).partition("\n")[0] for name, pictures in described.items()}
    return lines | {
        f"...{PATCHES}": "Parts of the pictures of any of these, for a painter that is to paint by --tiles: photos/:patches",
        f"...{INVERT}": "Any of these with dark and light swapped, where ink is light on dark: drawings.npz:invert",
    }


def _parts(data: str) -> tuple[str, set[str]]:
    """A name without the suffixes behind it, and these."""
    for suffix in (INVERT, PATCHES):
        if data.endswith(suffix):
            name, others = _parts(data.removesuffix(suffix))
            return name, {suffix, *others}
    return data, set()


def _dataset(name: str) -> Dataset:
    if name in DATASETS.names():
        return DATASETS.get(name)
    path = Path(name)
    try:
        source = next((source for source in SOURCES if path.exists() and source.fits(path)), None)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if source is None:
        if "/" in name and not path.exists():
            raise InputError(
                f"there is no {name}; give the path of a folder of image files or of a file, or one of the names "
                f"{', '.join(DATASETS.names())} (see: spiral list datasets)"
            )
        known = unknown("dataset", name, DATASETS.names())
        raise InputError(f"{known} (or give a folder of image files, or a file; see: spiral list datasets)")
    return partial(source.pictures, path)
