"""Denormal numbers: floats so near to 0 that a processor computes with them a hundred times more slowly."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Within it, this thread takes floats under 1e-38 for 0. For networks; also a decorator.

    A painter that is sure of a part gives the others such probabilities: they took a fifth of a learner's time in the
    first minute of training. Afterwards all is as it was, since a thread that counts on IEEE 754 may be somebody else's.
    No effect where the processor cannot.
    """
    import torch

    before = _are_zero()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _are_zero() -> bool:
    """Whether this thread takes them for 0 already: torch does not tell."""
    return sys.float_info.min / 2 == 0.0
