"""Painting: N canvases side by side, one action on each at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spiral.canvas import CanvasSpec
from spiral.config import EnvConfig
from spiral.envs.actions import ActionTable
from spiral.program import Program, pixel_checksum
from spiral.renderers import RENDERERS
from spiral.stroke import Stroke

ENVIRONMENT = "spiral/Paint-v0"
# Columns of a curve: where it begins and where it ends, each with the colour of its pen.
BEGINS, ENDS = [0, 1, 9, 10, 11], [4, 5, 9, 10, 11]


class Easel:
    """N canvases in one array, painted in lock-step; remembers every action, so that it can say what was painted.

    One canvas is the case N = 1: this is the only implementation of painting in the project.

    Attributes:
        table: the action table.
        pixels: uint8 [N, H, W, C], a live view of the canvases.
        pens: float32 [N, 2], where the pens are, (x, y) in canvas fractions.
        previous: int64 [N, parts], the last actions; zeros before the first.
        step: number of actions since the canvases were cleared.

    Lifts and travel are counted as a stroke begins, so they are those of the program: what the pen does before the
    first stroke and after the last is not in it, and a detour by several pen moves is none on paper.
    """

    def __init__(self, config: EnvConfig, count: int):
        self.config = config
        self.table = ActionTable(config)
        self.spec = CanvasSpec(config.width, config.height, config.channels, config.background)
        memory = np.empty((count, config.height, config.width, 4), np.uint8)
        self.pixels = memory[..., : config.channels]
        self._words = memory.view("<u4")[..., 0]  # a word a pixel, its first byte the lowest
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
        self._ends = np.full((len(self), len(ENDS)), np.nan)  # of the last strokes; not a number before the first
        self._lifts = np.zeros(len(self), np.int64)
        self._travel = np.zeros(len(self))
        self._uncounted: list[tuple[np.ndarray, np.ndarray]] = []  # which canvases were painted on, and the curves

    @property
    def pens(self) -> np.ndarray:
        return self._pens[:, :2].astype(np.float32)

    @property
    def previous(self) -> np.ndarray:
        return self._actions[-1] if self._actions else np.zeros((len(self), len(self.table.parts)), np.int64)

    @property
    def lifts(self) -> np.ndarray:
        """int64 [N], how often the pen was lifted between two strokes so far.

        That is where the second does not begin where the first ended, or has another colour, which is another pen.
        """
        self._count_pen_up()
        return self._lifts

    @property
    def travel(self) -> np.ndarray:
        """float64 [N], mm on paper in a straight line from the ends of strokes to the beginnings of the next."""
        self._count_pen_up()
        return self._travel

    def draw(self, index: int, strokes: Sequence[Stroke]) -> None:
        """Strokes on one canvas that no action painted; they head its program. The pen stays where it is."""
        self._count_pen_up()
        for stroke in strokes:
            self._canvases[index].draw(stroke)
            self._ends[index] = (*stroke.end, *stroke.brush.color)
        self._heads[index] = (*self._heads[index], *strokes)

    def paint(self, actions: np.ndarray) -> None:
        """One action [N, parts] on each canvas.

        Raises:
            InputError: the actions do not fit the action table.
        """
        actions = self.table.checked(actions, len(self))
        painting = self.table.painting(actions, self._pens[:, :2])
        curves = self.table.curves(actions[painting], self._pens[painting])
        for index, curve in zip(np.flatnonzero(painting).tolist(), curves.tolist(), strict=True):
            self._canvases[index].draw_curve(*curve)
        self._uncounted.append((painting, curves))
        self._pens = self.table.pens_after(actions, painting)
        self._actions.append(actions)

    def continue_from(self, index: int) -> None:
        """Every canvas becomes what this one is, its pen and its program too: all go on from there."""
        self._count_pen_up()
        for state in (self._words, self._pens, self._ends, self._lifts, self._travel):
            state[:] = state[index]
        self._heads = [self._heads[index]] * len(self)
        self._actions = [np.broadcast_to(actions[index], actions.shape) for actions in self._actions]

    def _count_pen_up(self) -> None:
        """Lifts and travel of what was painted since this was last asked: many never ask."""
        for painting, curves in self._uncounted:
            ends, begins = self._ends[painting], curves[:, BEGINS]
            others = np.isfinite(ends[:, 0])
            self._lifts[painting] += others & (begins != ends).any(axis=1)
            self._travel[painting] += np.where(others, np.hypot(*((begins - ends)[:, :2] * self.table.mm).T), 0.0)
            self._ends[painting] = curves[:, ENDS]
        self._uncounted.clear()

    def canvases(self) -> np.ndarray:
        """uint8 [N, H, W, C], a copy."""
        if self.config.channels == 1:
            return self._words.astype(np.uint8)[..., np.newaxis]
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
