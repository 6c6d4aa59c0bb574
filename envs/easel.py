"""Painting: N canvases side by side, one action on each at a time."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from spiral.canvas import CanvasSpec
from spiral.config import EnvConfig
from spiral.envs.actions import action_table
from spiral.envs.arc_length import arc_lengths
from spiral.geometry import Point
from spiral.program import Program, pixel_checksum
from spiral.renderers import RENDERERS
from spiral.stroke import Brush, Stroke

ENVIRONMENT = "spiral/Paint-v0"
# Columns of a curve: where it begins and where it ends, each with the colour of its pen.
BEGINS, ENDS = [0, 1, 9, 10, 11], [4, 5, 9, 10, 11]


class Easel:
    """N canvases in one array, painted in lock-step; remembers every curve, so that it can say what was painted.

    One canvas is the case N = 1: this is the only implementation of painting in the project.

    Attributes:
        table: the action table.
        pixels: uint8 [N, H, W, C], a live view of the canvases, to be read only.
        pens: float32 [N, 2], where the pens are, (x, y) in canvas fractions.
        previous: int64 [N, parts], the last actions; zeros before the first.
        step: number of actions since the canvases were cleared.

    Lifts, travel and lines are counted as a stroke begins, so they are those of the program: what the pen does before
    the first stroke and after the last is not in it, and a detour by several pen moves is none on paper.
    """

    def __init__(self, config: EnvConfig, count: int):
        self.config = config
        self.table = action_table(config)
        self.spec = CanvasSpec(config.width, config.height, config.channels, config.background)
        memory = np.empty((count, config.height, config.width, 4), np.uint8)
        self.pixels = memory[..., : config.channels]
        self._words = memory.view("<u4")[..., 0]  # a word a pixel, its first byte the lowest
        canvas_class = RENDERERS.get(config.renderer)
        self._canvases = [canvas_class(self.spec, pixels) for pixels in memory]
        self._draw_swept = [canvas.draw_swept for canvas in self._canvases]
        self._sides = np.tile(self.table.sides, 3)  # of a curve's three points
        self.clear()

    def __len__(self) -> int:
        return len(self._canvases)

    def clear(self) -> None:
        """Blank canvases, the pens at their start."""
        for canvas in self._canvases:
            canvas.clear()
        self.step = 0
        self.previous = np.zeros((len(self), len(self.table.parts)), np.int64)
        self._pens = self.table.pens(len(self))
        self._heads: list[Sequence[Stroke]] = [()] * len(self)
        # For each action: the actions, which canvases curves were painted on, and the curves.
        self._painted: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._counted = self._measured = 0  # how many of these are counted and measured: many never ask
        self._ends = np.full((len(self), len(ENDS)), np.nan)  # of the last strokes; not a number before the first
        self._lifts, self._lines = np.zeros((2, len(self)), np.int64)
        self._travel, self._length = np.zeros((2, len(self)))

    @property
    def pens(self) -> np.ndarray:
        return self._pens["place"].astype(np.float32)

    @property
    def lifts(self) -> np.ndarray:
        """int64 [N], how often the pen was lifted between two strokes so far.

        That is where the second does not begin where the first ended, or has another colour, which is another pen.
        """
        self._count()
        return self._lifts

    @property
    def lines(self) -> np.ndarray:
        """int64 [N], how many lines were begun by actions: the first stroke, and one after each lift."""
        self._count()
        return self._lines

    @property
    def travel(self) -> np.ndarray:
        """float64 [N], mm on paper in a straight line from the ends of strokes to the beginnings of the next."""
        self._count()
        return self._travel

    @property
    def length(self) -> np.ndarray:
        """float64 [N], how long the curves that actions painted are, in shorter sides of the canvas."""
        for _, canvases, curves in self._painted[self._measured :]:
            points = (curves[:, i : i + 2] * self.table.sides for i in (0, 2, 4))
            self._length += np.bincount(canvases, arc_lengths(*points), len(self))
        self._measured = len(self._painted)
        return self._length

    def draw(self, index: int, strokes: Sequence[Stroke]) -> None:
        """Strokes on one canvas that no action painted; they head its program, and the pen is where the last one ends."""
        self._count()
        for stroke in strokes:
            self._canvases[index].draw(stroke)
            self._ends[index] = (*stroke.end, *stroke.brush.color)
            self.table.put(self._pens, index, stroke.end)
        self._heads[index] = (*self._heads[index], *strokes)

    def cover(self, pictures: np.ndarray) -> None:
        """Every canvas shows its picture, uint8 [N, H, W, C], which no program holds."""
        for canvas, picture in zip(self._canvases, pictures, strict=True):
            canvas.cover(picture)

    def paint(self, actions: np.ndarray) -> None:
        """One action [N, parts] on each canvas.

        Raises:
            InputError: the actions do not fit the action table.
        """
        actions = self.table.checked(actions, len(self))
        self.step += 1
        canvases, curves = self.table.paint(actions, self._pens, self.step >= self.config.episode_length)
        # All at once what ``Canvas.draw_curve`` does for each; the table's numbers need no check.
        swept = np.empty((len(curves), 12))
        swept[:, :6] = curves[:, :6] * self._sides
        swept[:, 6:8] = curves[:, 6:7] * curves[:, 7:9]
        swept[:, 8:] = curves[:, 9:]
        for index, curve in zip(canvases.tolist(), swept.tolist(), strict=True):
            self._draw_swept[index](*curve)
        self._painted.append((actions, canvases, curves))
        self.previous = actions

    def continue_from(self, index: int) -> None:
        """Every canvas becomes what this one is, its pen and its program too: all go on from there."""
        figures = (self.lifts, self.lines, self.travel, self.length)
        self._heads = [self.strokes(index)] * len(self)
        self._painted.clear()
        self._counted = self._measured = 0
        for state in (self._pens, self._ends, *figures):
            state[:] = state[index]
        self.previous = np.broadcast_to(self.previous[index], self.previous.shape)
        for canvas in self._canvases:
            canvas.become(self._canvases[index])

    def _count(self) -> None:
        """Lifts, lines and travel of what was painted since they were last asked for."""
        for _, canvases, curves in self._painted[self._counted :]:
            first = np.ones(len(canvases), bool)  # curve of a stroke; the others begin where the one before ends
            first[1:] = canvases[1:] != canvases[:-1]
            begun = canvases[first]
            before, begins = self._ends[begun], curves[first][:, BEGINS]
            new, others = (begins != before).any(axis=1), np.isfinite(before[:, 0])
            self._lines[begun] += new
            self._lifts[begun] += new & others
            self._travel[begun] += np.where(others, np.hypot(*((begins - before)[:, :2] * self.table.mm).T), 0.0)
            self._ends[canvases] = curves[:, ENDS]  # of several on one canvas the last one's
        self._counted = len(self._painted)

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
        painted = [
            _stroke(curve, actions[index].tolist())
            for actions, canvases, curves in self._painted
            for curve in curves[canvases == index].tolist()
        ]
        return [*self._heads[index], *painted]

    def strokes_of_all(self) -> list[list[Stroke]]:
        """``strokes`` of every canvas, in half the time that takes one by one."""
        found = [list(head) for head in self._heads]
        for actions, canvases, curves in self._painted:
            rows = actions.tolist()
            for index, curve in zip(canvases.tolist(), curves.tolist(), strict=True):
                found[index].append(_stroke(curve, rows[index]))
        return found

    def program(self, index: int, **header: Any) -> Program:
        """What one canvas shows, as a program; replayed, it is byte for byte this canvas.

        ``header`` goes to ``Program``: seed, origin, or ``checksum=None`` where the canvas was not blank at first.
        """
        return self._program(index, self.strokes(index), header)

    def programs(self, headers: Sequence[dict[str, Any]]) -> list[Program]:
        """``program`` of every canvas, each with its header."""
        return [
            self._program(index, *each) for index, each in enumerate(zip(self.strokes_of_all(), headers, strict=True))
        ]

    def _program(self, index: int, strokes: list[Stroke], header: dict[str, Any]) -> Program:
        header = {"checksum": pixel_checksum(self.pixels[index])} | header
        return Program(self.spec, strokes, ENVIRONMENT, self.config.renderer, **header)


def _stroke(curve: Sequence[float], action: Sequence[int]) -> Stroke:
    x0, y0, x1, y1, x2, y2, width, pressure0, pressure1, red, green, blue, opacity = curve
    brush = _brush(width, (red, green, blue), opacity, (pressure0, pressure1))
    return Stroke(Point(x0, y0), Point(x1, y1), Point(x2, y2), brush, tuple(action))


_brush = functools.lru_cache(maxsize=1024)(Brush)  # most paintings have few of them, and each is checked when made
