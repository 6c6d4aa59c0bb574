"""Animated PNG, written frame by frame, each only where it differs from the one before.

Pillow writes such files too, but holds every frame in memory until the last one is there.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR_TYPES = {1: 4, 3: 6}  # of PNG, by the number of channels; each has an alpha channel more
UNFILTERED = 0  # the byte before each row; strokes are flat colours, which deflate finds by itself
LEAVE, OVER = 0, 1  # a frame stays, and the next one is laid over it


def write_apng(frames: Iterable[np.ndarray], file: BinaryIO, fps: int, rest_seconds: float) -> None:
    """Write pictures, each uint8 [H, W, C] with C = 1 or 3 and at least one of them, as an endless film.

    Args:
        frames: all of one shape.
        file: where to write, at its beginning; it must be seekable, since the number of frames stands in front.
        fps: frames a second.
        rest_seconds: how long the last frame is shown.
    """
    sequence = itertools.count()  # of frame headers and of data after the first frame, together
    before = None
    count = 0
    for frame, after in itertools.pairwise(itertools.chain(frames, [None])):
        if before is None:
            file.write(SIGNATURE)
            height, width, channels = frame.shape
            _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, COLOR_TYPES[channels], 0, 0, 0))
            count_at = file.tell()
            _write_count(file, count)
        changed = np.ones(frame.shape[:2], bool) if before is None else (frame != before).any(axis=2)
        left, top, right, bottom = _box(changed)
        delay = (1, fps) if after is not None else (round(1000 * rest_seconds), 1000)
        place = right - left, bottom - top, left, top
        _write_chunk(file, b"fcTL", struct.pack(">IIIIIHHBB", next(sequence), *place, *delay, LEAVE, OVER))
        data = _compressed(frame[top:bottom, left:right], changed[top:bottom, left:right])
        if before is None:
            _write_chunk(file, b"IDAT", data)
        else:
            _write_chunk(file, b"fdAT", struct.pack(">I", next(sequence)) + data)
        before = frame
        count += 1
    _write_chunk(file, b"IEND", b"")
    file.seek(count_at)
    _write_count(file, count)


def _write_count(file: BinaryIO, frames: int) -> None:
    _write_chunk(file, b"acTL", struct.pack(">II", frames, 0))  # played for ever


def _write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


def _box(changed: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is True in [H, W]; of one pixel where nothing is, since no frame may be empty."""
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _compressed(pixels: np.ndarray, changed: np.ndarray) -> bytes:
    """Rows of pixels with alpha: opaque where changed, elsewhere nothing, which takes no space."""
    rows = np.dstack([pixels * changed[..., None], np.uint8(255) * changed])
    return zlib.compress(np.insert(rows.reshape(len(rows), -1), 0, UNFILTERED, axis=1).tobytes())
