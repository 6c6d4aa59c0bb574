"""What a process is told once so that it computes quickly."""

from __future__ import annotations

import contextlib
import ctypes

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 2**28  # freed memory at the heap's end, up to so much
LARGEST_BYTES = 2**25  # of one tensor in it; glibc allows no more


def make_process_quick() -> None:
    """For a process that trains or paints much: keep freed memory, and take tiny numbers for 0."""
    _keep_freed_memory()
    _flush_denormals()


def _keep_freed_memory() -> None:
    """Keep freed memory for the next tensors, instead of giving it back to the system again and again.

    The system clears what it gives out, page by page: a process of Ray's that trains asks for fifty thousand pages a
    second, a tenth of its time. No effect where the C library is not glibc.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGEST_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def _flush_denormals() -> None:
    """Take floats under 1e-38 for 0 in this thread.

    A painter that is sure of a part gives the others such probabilities, with which a processor computes a hundred
    times more slowly: a fifth of a learner's time in the first minute of training. No effect where it cannot.
    """
    import torch

    torch.set_flush_denormal(True)
