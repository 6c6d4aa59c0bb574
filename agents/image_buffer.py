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
        return self._newest(1 + rng.integers(self._count, size=n))

    def _newest(self, ranks: np.ndarray) -> np.ndarray:
        """Copies of canvases by age, 1 the newest, so that where the ring begins makes no difference."""
        return self._canvases[(self._next - ranks) % len(self._canvases)]

    def get_state(self) -> dict:
        """The canvases, oldest first."""
        return {"canvases": self._newest(np.arange(self._count, 0, -1))}

    def set_state(self, state: dict) -> None:
        """Hold those canvases and no others; the newest of them if they are more than the capacity."""
        self._next = self._count = 0
        self.add(state["canvases"])
