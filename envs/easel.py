"""Painting: N canvases side by side, one action on each at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spiral.canvas import CanvasSpec
from spiral.config import EnvConfig
from spiral.envs.actions import FLAG, PAINT, ActionTable
from spiral.program import Program, pixel_checksum
from spiral.renderers import RENDERERS
from spiral.stroke import Stroke

ENVIRONMENT = "spiral/Paint-v0"


class Easel:
    """N canvases in one array, painted in lock-step; remembers every action, so that it can say what was painted.

    One canvas is the case N = 1: this is the only implementation of painting in the project.

    Attributes:
        table: the action table.
        pixels: uint8 [N, H, W, C], a live view of the canvases.
        pens: float32 [N, 2], where the pens are, (x, y) in canvas fractions.
        previous: int64 [N, parts], the last actions; zeros before the first.
        step: number of actions since the canvases were cleared.
    """

    def __init__(self, config: EnvConfig, count: int):
        self.config = config
        self.table = ActionTable(config)
        self.spec = CanvasSpec(config.width, config.height, config.channels, config.background)
        memory = np.empty((count, config.height, config.width, 4), np.uint8)
        self.pixels = memory[..., : config.channels]
        canvas_class = RENDERERS.get(config.renderer)
        self._canvases = [canvas_class(self.spec, pixels) for pixels in memory]
        self.clear()

    def __len__(self) -> int:
        return len(self._canvases)

    @property
    def step(self) -> int:
        return len(self._actions)

    def clear(self) -> None:
        """Blank canvases, the pens at their start."""
        for canvas in self._canvases:
            canvas.clear()
        self._actions: list[np.ndarray] = []  # one [N, parts] a step
        self._pens = np.tile(self.table.start, (len(self), 1))
        self._heads: list[Sequence[Stroke]] = [()] * len(self)

    @property
    def pens(self) -> np.ndarray:
        return self._pens[:, :2].astype(np.float32)

    @property
    def previous(self) -> np.ndarray:
        return self._actions[-1] if self._actions else np.zeros((len(self), len(self.table.parts)), np.int64)

    def draw(self, index: int, strokes: Sequence[Stroke]) -> None:
        """Strokes on one canvas that no action painted; they head its program. The pen stays where it is."""
        for stroke in strokes:
            self._canvases[index].draw(stroke)
        self._heads[index] = (*self._heads[index], *strokes)

    def paint(self, actions: np.ndarray) -> None:
        """One action [N, parts] on each canvas.

        Raises:
            InputError: the actions do not fit the action table.
        """
        actions = self.table.checked(actions, len(self))
        (painting,) = np.nonzero(actions[:, FLAG] == PAINT)
        curves = self.table.curves(actions[painting], self._pens[painting])
        for index, curve in zip(painting.tolist(), curves.tolist(), strict=True):
            self._canvases[index].draw_curve(*curve)
        self._pens = self.table.pens_after(actions)
        self._actions.append(actions)

    def canvases(self) -> np.ndarray:
        """uint8 [N, H, W, C], a copy."""
        copy = np.empty(self.pixels.shape, np.uint8)
        for channel in range(self.config.channels):  # numpy copies planes several times faster than pixels of 3 bytes
            copy[..., channel] = self.pixels[..., channel]
        return copy

    def strokes(self, index: int) -> list[Stroke]:
        """Every stroke on one canvas, in the order and with the very floats it was drawn with."""
        actions = np.array([actions[index] for actions in self._actions], np.int64)
        return [*self._heads[index], *self.table.strokes(actions.reshape(-1, len(self.table.parts)))]

    def program(self, index: int, **header: Any) -> Program:
        """What one canvas shows, as a program; replayed, it is byte for byte this canvas.

        ``header`` goes to ``Program``: seed, origin, or ``checksum=None`` where the canvas was not blank at first.
        """
        header = {"checksum": pixel_checksum(self.pixels[index])} | header
        return Program(self.spec, self.strokes(index), ENVIRONMENT, self.config.renderer, **header)
