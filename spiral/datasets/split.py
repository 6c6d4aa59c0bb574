"""Which pictures are held out from training."""

from __future__ import annotations

import hashlib

from spiral.errors import InputError

SPLITS = ("train", "test")
HELD_OUT_SHARE = 10  # one picture in ten


def members(names: list[str], split: str, what: str = "picture") -> list[int]:
    """The positions of the pictures (or alphabets, or what the names are of) of one split, in order.

    A tenth is held out, at least one. The hash of its name decides, not its place, so that neighbours (frames of one
    film, drawings by one person) spread over both splits and no generator has to be kept.

    Raises:
        InputError: fewer than two cannot be split.
    """
    if len(names) < 2:
        raise InputError(f"a dataset of {len(names)} {what} cannot be split; give at least 2, one to be held out")
    by_hash = sorted(range(len(names)), key=lambda i: hashlib.sha256(names[i].encode()).digest())
    held_out = max(1, len(names) // HELD_OUT_SHARE)
    return sorted(by_hash[:held_out] if split == "test" else by_hash[held_out:])
