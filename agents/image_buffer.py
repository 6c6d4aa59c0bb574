"""The image buffer: finished canvases the discriminator draws its fakes from (SPIRAL, section 3.4)."""

from __future__ import annotations

import numpy as np

Examples = dict[str, np.ndarray]
"""Arrays of equal length by name: ``canvas`` uint8 [N, H, W, C], with ``target`` and ``label`` where there are any."""


class ImageBuffer:
    """The last ``capacity`` canvases, with what they were asked to be; oldest overwritten first.

    Args:
        capacity: canvases held.
    """

    def __init__(self, capacity: int):
        self._capacity = capacity
        self._examples: Examples = {}  # made for the first canvases that come
        self._next = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, examples: Examples) -> None:
        """Take N examples; of more than the capacity, the last."""
        examples = {name: values[-self._capacity :] for name, values in examples.items()}
        if not self._examples:
            self._examples = {
                name: np.zeros((self._capacity, *values.shape[1:]), values.dtype) for name, values in examples.items()
            }
        count = len(examples["canvas"])
        places = (self._next + np.arange(count)) % self._capacity
        for name, values in examples.items():
            self._examples[name][places] = values
        self._next = int((self._next + count) % self._capacity)
        self._count = min(self._count + count, self._capacity)

    def sample(self, n: int, rng: np.random.Generator) -> Examples:
        """n examples, uniformly with replacement.

        Raises:
            ValueError: the buffer is empty.
        """
        if not self._count:
            raise ValueError("the image buffer is empty: add canvases before sampling from it")
        return self._newest(1 + rng.integers(self._count, size=n))

    def _newest(self, ranks: np.ndarray) -> Examples:
        """Copies of examples by age, 1 the newest, so that where the ring begins makes no difference."""
        places = (self._next - ranks) % self._capacity
        return {name: values[places] for name, values in self._examples.items()}

    def get_state(self) -> dict:
        """The examples, oldest first."""
        return {"examples": self._newest(np.arange(self._count, 0, -1))}

    def set_state(self, state: dict) -> None:
        """Hold those examples and no others; the newest of them if they are more than the capacity."""
        self._next = self._count = 0
        if state["examples"]:
            self.add(state["examples"])
