"""All of MNIST (LeCun, Cortes and Burges), fetched once over the network."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from spiral.datasets import DATASETS
from spiral.datasets.digits import on_paper
from spiral.datasets.idx import read_pictures
from spiral.errors import InputError
from spiral.files import cache_folder, written_whole

URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
FILE_OF_SPLIT = {"train": "train", "test": "t10k"}
PATIENCE = 30  # seconds without a byte
MOST_BYTES = 2**25  # three times the largest file


@DATASETS.register("mnist")
def mnist(split: str) -> Iterator[tuple[Image.Image, int]]:
    """All 60,000 and 10,000 digits of MNIST, 32x32, black on white; fetched once (12 MB) and kept.

    The published split; kept in the user's cache folder, where they may also be put by hand.

    Raises:
        InputError: they cannot be fetched, or a file is not the one published; the message says where to put them.
    """
    name = FILE_OF_SPLIT[split]
    _kept(f"{name}-labels-idx1-ubyte.gz")
    images, labels = read_pictures(_kept(f"{name}-images-idx3-ubyte.gz"))
    for scan, label in zip(images, labels, strict=True):
        yield on_paper(scan), int(label)


def _kept(name: str) -> Path:
    """The file in the cache folder, packed or, if it was put there by hand, maybe unpacked; fetched if missing."""
    path = cache_folder() / "mnist" / name
    unpacked = path.with_suffix("")
    if unpacked.is_file():
        return unpacked
    if not path.is_file():
        data = _fetched(name, path.parent)
        with written_whole(path) as beside:
            beside.write_bytes(data)
    return path


def _fetched(name: str, folder: Path) -> bytes:
    by_hand = f"put {', '.join(SHA256)} in {folder}, or take the dataset digits, which needs no network"
    try:
        with urllib.request.urlopen(URL + name, timeout=PATIENCE) as answer:
            data = answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(f"cannot fetch {URL}{name} ({error}); {by_hand}") from None
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise InputError(f"what came from {URL}{name} is not the file that was published; {by_hand}")
    return data
