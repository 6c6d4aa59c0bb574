"""Arrays in NumPy's files, read row by row: never more than is asked for, whatever a header promises. Never pickle."""

from __future__ import annotations

import contextlib
import lzma
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from spiral.errors import InputError, ProgramError
from spiral.interchange.base import MAX_DRAWING_BYTES


class StoredArray:
    """An array that lies in a file, of which only the header has been read.

    Args:
        file: at the begin of what ``numpy.save`` wrote.
        where: what to call it in messages.

    Raises:
        ProgramError: it is no array of numbers.

    Attributes:
        shape: as the header says, no part negative.
        dtype: integers or floats.
        where: as given.
    """

    def __init__(self, file: BinaryIO, where: str):
        self.where = where
        self._file = file
        try:
            if np.lib.format.read_magic(file) != (1, 0):  # later ones are for records, and promise longer headers
                raise ValueError("not version 1.0")
            self.shape, self._columns_first, self.dtype = np.lib.format.read_array_header_1_0(file)
        except Exception:  # noqa: BLE001 - a header is Python source, and its readers raise whatever it leads them to
            raise ProgramError(f"{where}: not an array saved by NumPy, or damaged") from None
        if self.dtype.hasobject:
            raise ProgramError(
                f"{where}: it holds pickled Python objects, as published sketch-rnn files do; these can run programs "
                "and are never opened. Accepted are arrays of plain numbers"
            )
        if self.dtype.kind not in "iuf" or min(self.shape, default=0) < 0:
            raise ProgramError(f"{where}: it must hold integers or floats, got {self.dtype} {list(self.shape)}")

    def rows(self, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
        """What lies along the first axis, one by one, where the array is taken to have this shape.

        Raises:
            ProgramError: a row is too large or scattered over the file, or the file is cut short.
        """
        count, *of_a_row = shape
        size = math.prod(of_a_row) * self.dtype.itemsize
        if size > MAX_DRAWING_BYTES:
            most = MAX_DRAWING_BYTES // 2**20
            raise ProgramError(f"{self.where}: {self.dtype} {of_a_row} is larger than {most} MiB, the most allowed")
        if self._columns_first and count > 1:
            raise ProgramError(f"{self.where}: it is in Fortran order; save numpy.ascontiguousarray of it")
        for number in range(count):
            data = self._file.read(size)
            if len(data) < size:
                raise ProgramError(f"{self.where}: cut short in row {number} of {count}")
            yield np.frombuffer(data, self.dtype).reshape(of_a_row, order="F" if self._columns_first else "C")


@contextlib.contextmanager
def stored_arrays(path: Path) -> Iterator[dict[str, StoredArray]]:
    """The arrays of an ``.npz`` file by their names, or the one of an ``.npy`` file, for as long as the block lasts.

    Raises:
        OSError: the file cannot be read.
        ProgramError: it is no such file, or damaged, which may also show inside the block.
    """
    with path.open("rb") as file, contextlib.ExitStack() as members:
        try:
            if path.suffix.lower() == ".npy":
                yield {"": StoredArray(file, str(path))}
            else:
                archive = members.enter_context(zipfile.ZipFile(file))
                yield {
                    name.removesuffix(".npy"): StoredArray(members.enter_context(archive.open(name)), f"{path}: {name}")
                    for name in archive.namelist()
                }
        except InputError:
            raise
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError) as error:
            raise ProgramError(f"{path}: not a file of NumPy's arrays, or damaged ({error!s:.100})") from None
