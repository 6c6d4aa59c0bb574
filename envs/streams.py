"""Random numbers of many episodes side by side, each from a stream of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEP = np.uint64(0x9E3779B97F4A7C15)
SUMMED = 12  # uniform numbers in a normal one: so many have variance 1
NORMAL_LIMIT = SUMMED / 2


class Streams:
    """N streams; what comes from one depends on its own seed and on how much was drawn from it, on nothing else.

    SplitMix64 (Steele, Lea and Flood 2014). Making NumPy's generators anew for every episode costs more than
    everything else that an environment does beside drawing strokes.

    Args:
        count: N. Their first seeds are the system's.
    """

    def __init__(self, count: int):
        self._states = np.random.SeedSequence().generate_state(count, np.uint64)

    def __len__(self) -> int:
        return len(self._states)

    def seed(self, seeds: Sequence[int | None]) -> None:
        """Begin the streams anew that have a seed, an integer that counts modulo 2^64; those of None go on."""
        states = zip(seeds, self._states.tolist(), strict=True)
        self._states[:] = [state if seed is None else seed % 2**64 for seed, state in states]

    def normals(self, count: int) -> np.ndarray:
        """Standard normal numbers float32 [N, count], count at least 1.

        Each is the sum of twelve uniform ones, so none is beyond 6.
        """
        uniform = self._words(count * SUMMED // 4).view(np.uint16).reshape(len(self._states), count, SUMMED)
        # All of this is exact in float32, and numpy sums short rows as a product five times as fast.
        sums = uniform.astype(np.float32) @ np.ones(SUMMED, np.float32)
        return (sums + SUMMED / 2) / 2.0**16 - NORMAL_LIMIT

    def below(self, limit: int) -> np.ndarray:
        """Integers int64 [N] from 0 to ``limit`` - 1, ``limit`` at most 2^32."""
        return ((self._words(1)[:, 0] >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32)).astype(np.int64)

    def _words(self, count: int) -> np.ndarray:
        """uint64 [N, count], count at least 1."""
        z = self._states[:, np.newaxis] + STEP * np.arange(1, count + 1, dtype=np.uint64)
        self._states = z[:, -1].copy()
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        return z
