"""The image buffer: finished canvases the discriminator draws its fakes from (SPIRAL, section 3.4)."""

from __future__ import annotations

import numpy as np


class ImageBuffer:
    """The last ``capacity`` canvases, oldest overwritten first.

    Args:
        capacity: canvases held.
        shape: (H, W, C) of one canvas.
    """

    def __init__(self, capacity: int, shape: tuple[int, int, int]):
        self._canvases = np.zeros((capacity, *shape), np.uint8)
        self._next = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, canvases: np.ndarray) -> None:
        """Take canvases uint8 [N, H, W, C]; of more than the capacity, the last."""
        canvases = canvases[-len(self._canvases) :]
        places = (self._next + np.arange(len(canvases))) % len(self._canvases)
        self._canvases[places] = canvases
        self._next = int((self._next + len(canvases)) % len(self._canvases))
        self._count = min(self._count + len(canvases), len(self._canvases))

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n canvases uint8 [n, H, W, C], uniformly with replacement.

        Raises:
            ValueError: the buffer is empty.
        """
        if not self._count:
            raise ValueError("the image buffer is empty: add canvases before sampling from it")
        return self._canvases[rng.integers(self._count, size=n)]

    def get_state(self) -> dict:
        return {"canvases": self._canvases[: self._count].copy(), "next": self._next}

    def set_state(self, state: dict) -> None:
        self._count = len(state["canvases"])
        self._canvases[: self._count] = state["canvases"]
        self._next = state["next"]
