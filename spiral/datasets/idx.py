"""Pictures in the format MNIST was published in: IDX, bytes behind a short header, white ink on black."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from spiral.datasets.split import members
from spiral.errors import InputError

# train-images-idx3-ubyte.gz as it was published, train-images.idx3-ubyte as some programs unpack it.
IMAGES = re.compile(r"(.*)images([-.])idx3-ubyte(\.gz)?")
TEST_NAMES = ("t10k", "test")
MOST_BYTES = 2**30


def is_idx(path: Path) -> bool:
    """Whether it is a file of pictures by its name, or a folder with such a file."""
    return bool(_image_files(path))


def pictures_in_idx(path: Path, split: str) -> Iterator[tuple[Image.Image, int | None]]:
    """MNIST's format, or a folder of it; turned to black on white. Labels are in the file beside.

    In a folder with ``train-images...`` and ``t10k-images...`` (or ``test-images...``) these are the splits; of a single
    file a tenth is held out.

    Raises:
        InputError: a header is wrong, a file is cut short or too long, labels are too few or many, or it is not clear
            which files are meant.
    """
    files = _image_files(path)
    if len(files) == 1:
        images, labels = read_pictures(files[0])
        chosen = members([str(i) for i in range(len(images))], split)
    else:
        images, labels = read_pictures(_published(files, path, split))
        chosen = range(len(images))
    for i in chosen:
        yield Image.fromarray(255 - images[i]), None if labels is None else int(labels[i])


def read_pictures(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """As they lie in the file, uint8 [N, H, W], and their labels uint8 [N] if there is a file of them beside."""
    images = read_idx(path, 3)
    if path.name.startswith("emnist"):
        images = images.transpose(0, 2, 1)  # EMNIST was published with x and y exchanged
    kept = IMAGES.fullmatch(path.name)
    beside = path.with_name(f"{kept[1]}labels{kept[2]}idx1-ubyte")
    found = next((file for file in (beside, Path(f"{beside}.gz")) if file.is_file()), None)
    labels = None if found is None else read_idx(found, 1)
    if labels is not None and len(labels) != len(images):
        raise InputError(f"{found} has {len(labels)} labels for the {len(images)} pictures of {path}")
    return images, labels


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The bytes of an IDX file, uint8 with so many dimensions; packed by gzip or not, whatever its name is.

    Raises:
        InputError: it cannot be read, or its length is not the one its header says; the message names it.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            head = file.read(4 * (1 + dimensions))
            shape = _shape(path, head, dimensions)
            count = math.prod(shape)
            values = file.read(count + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path} is a broken .gz file ({error}); fetch it again") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if len(values) != count:
        fault = "is cut short" if len(values) < count else "goes on behind its end"
        raise InputError(f"{path} {fault}: its header says {count:,} bytes, of shape {list(shape)}; fetch it again")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _shape(path: Path, head: bytes, dimensions: int) -> tuple[int, ...]:
    magic = bytes([0, 0, 8, dimensions])  # 8: unsigned bytes
    if head[:4] != magic or len(head) != 4 * (1 + dimensions):
        got = head[:4].hex() or "nothing"
        raise InputError(f"{path} is no IDX file of bytes with {dimensions} dimensions: {got} instead of {magic.hex()}")
    shape = tuple(np.frombuffer(head, ">u4", offset=4).tolist())
    if not 0 < math.prod(shape) <= MOST_BYTES:
        raise InputError(f"{path} has shape {list(shape)} by its header; give 1 byte to {MOST_BYTES // 2**30} GiB")
    return shape


def _image_files(path: Path) -> list[Path]:
    """The file itself, or those of a folder; where both the packed and the unpacked file are there, the latter."""
    files = sorted(path.iterdir(), reverse=True) if path.is_dir() else [path]
    found = {file.name.removesuffix(".gz"): file for file in files if IMAGES.fullmatch(file.name) and file.is_file()}
    return [found[name] for name in sorted(found)]


def _published(files: list[Path], folder: Path, split: str) -> Path:
    tests = [file for file in files if any(name in file.name for name in TEST_NAMES)]
    trains = [file for file in files if file not in tests]
    if len(tests) != 1 or len(trains) != 1:
        names = ", ".join(file.name for file in files)
        raise InputError(f"{folder} has several files of pictures; give one of them: {names}")
    return tests[0] if split == "test" else trains[0]
