"""The action table: the names, the order and the meaning of the small integers that one action is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from spiral.config import EnvConfig
from spiral.envs.arc_length import arc_lengths
from spiral.errors import InputError
from spiral.geometry import Point
from spiral.stroke import Brush, Stroke

PARTS = ("flag", "end", "control", "size", "pressure")  # of every action; those of the colour follow
RGB_PARTS = ("red", "green", "blue")
PALETTE_PART = "color"
FLAG, END, CONTROL, SIZE, PRESSURE, COLOR = range(6)
MOVE, PAINT = 0, 1  # values of `flag`
ROUNDING_MM = 1e-6  # a stroke of just the minimum must not fall short of it by rounding


class ActionTable:
    """What each part of an action means on a canvas of this configuration.

    An action is one integer for each of ``parts``. ``flag`` says whether it paints (1) or only moves the pen (0).
    A stroke is the quadratic Bezier from the pen through ``control`` to ``end``; either kind of action leaves the pen
    at ``end``. ``end`` and ``control`` are cells of a K x K grid that covers the whole canvas, edges included: cell
    ``row * K + column`` is the point ``(column / (K - 1), row / (K - 1))``. ``size`` and ``pressure`` are levels; a
    part that has one level only stays where it is, so that names and order never change.

    With a ``palette`` the last part is ``color``, the number of a pen: strokes have exactly the palette's colours.
    Without one RGB canvases have the parts ``red``, ``green`` and ``blue``, each of ``color_levels`` (a single level
    means the ink), and grey canvases no part for the colour: all strokes have the ink's.

    A painting action whose stroke is shorter on paper than ``minimum_mm`` leaves no ink and is done as a pen move to
    its ``end``. All its parts count as relevant, because ``control`` too decided on the length: what is relevant
    depends on ``flag`` alone.

    What ``pressure`` does is the option ``pressure_controls``:

    - ``"opacity"``: the stroke is as opaque as the pressure, its width is constant;
    - ``"width"``: the width is size times pressure, constant along the stroke, opaque;
    - ``"taper"``: opaque, and the pressure runs along the stroke from that of the painted action before it to its
      own. The first stroke after a pen move, or of an episode, has its own pressure throughout. (The released code of
      arXiv 1804.01118 starts at pressure 0 there, which leaves no way to put down a dot or an even line.)

    Attributes:
        parts: names of the parts, in the order of the columns of an action.
        nvec: int64 [parts], the number of values of each part.
        space: ``MultiDiscrete(nvec)``.
        relevant: bool [2, parts], row ``flag``: which parts change anything for this value of ``flag``.
        cell_points: float32 [K * K, 2], (x, y) of each cell in canvas fractions.
        start: float64 [3], the pen at the start of an episode.
        mm: float64 [2], length on paper of the canvas's (width, height).

    A *pen*, float64 [3], is all that a stroke takes over from the action before it: x, y and the pressure the pen is
    on the canvas with, 0 if it is lifted, as after a pen move and at the start of an episode.
    """

    def __init__(self, config: EnvConfig):
        if config.palette:
            colors = {PALETTE_PART: len(config.palette)}
        else:
            colors = dict.fromkeys(RGB_PARTS if config.channels == 3 else (), config.color_levels)
        cells = config.grid**2
        self.nvec = np.array([2, cells, cells, len(config.sizes), len(config.pressures), *colors.values()], np.int64)
        self.parts = (*PARTS, *colors)
        self.space = spaces.MultiDiscrete(self.nvec)
        self.relevant = np.ones((2, len(self.parts)), bool)
        self.relevant[MOVE] = np.isin(self.parts, ("flag", "end"))
        self.start = np.array([*config.start, 0.0])
        self.mm = config.picture_mm * np.array([config.width, config.height]) / min(config.width, config.height)
        self._minimum = config.minimum_mm - ROUNDING_MM

        steps = np.arange(config.grid) / (config.grid - 1)
        self._points = np.stack([np.tile(steps, config.grid), steps.repeat(config.grid)], axis=1)
        self.cell_points = self._points.astype(np.float32)

        # The three pressure controls are three fillings of the same look-up arrays.
        pressures = np.array(config.pressures)
        ones, controls = np.ones_like(pressures), config.pressure_controls
        self._tips = pressures if controls == "taper" else ones  # the brush's pressure where the stroke ends
        self._opacities = pressures if controls == "opacity" else ones
        self._widths = np.outer(config.sizes, pressures if controls == "width" else ones)  # [size, pressure]
        self._ink = np.array(config.ink)
        self._palette = np.array(config.palette) if config.palette else None
        self._shades = np.linspace(0.0, 1.0, config.color_levels)
        self._has_shades = "red" in colors and config.color_levels > 1

    def checked(self, actions: np.ndarray, count: int) -> np.ndarray:
        """A copy of ``actions``, int64 [count, parts], every value within its part's range.

        Raises:
            InputError: another shape, another type, or a value out of range; the message names the part.
        """
        actions = np.asarray(actions)
        if actions.shape != (count, len(self.parts)) or actions.dtype.kind not in "iu":
            raise InputError(
                f"actions are {actions.dtype} {list(actions.shape)}; accepted: integers [{count}, {len(self.parts)}], "
                f"one column for each of {', '.join(self.parts)}"
            )
        wrong = (actions < 0) | (actions >= self.nvec)
        if wrong.any():
            index, part = np.argwhere(wrong)[0]
            raise InputError(
                f"part {self.parts[part]!r} of action {index} is {actions[index, part]}; "
                f"accepted: 0 to {self.nvec[part] - 1}"
            )
        return actions.astype(np.int64)

    def masks(self, actions: np.ndarray) -> np.ndarray:
        """bool [N, parts]: which parts of each of these actions [N, parts] mattered."""
        return self.relevant[actions[:, FLAG]]

    def painting(self, actions: np.ndarray, places: np.ndarray) -> np.ndarray:
        """bool [N]: which of these actions [N, parts] leave ink when the pens are at ``places``, float64 [N, 2]."""
        painting = actions[:, FLAG] == PAINT
        if self._minimum > 0:
            points = places, self._points[actions[:, CONTROL]], self._points[actions[:, END]]
            painting &= arc_lengths(*(self.mm * point for point in points)) >= self._minimum
        return painting

    def pens_after(self, actions: np.ndarray, painting: np.ndarray) -> np.ndarray:
        """Pens float64 [N, 3] once these actions [N, parts] are done, of which those ``painting`` leave ink."""
        pens = np.empty((len(actions), 3))
        pens[:, :2] = self._points[actions[:, END]]
        pens[:, 2] = self._tips[actions[:, PRESSURE]] * painting
        return pens

    def curves(self, actions: np.ndarray, pens: np.ndarray) -> np.ndarray:
        """What these painting actions [N, parts] paint from these pens [N, 3].

        Returns:
            float64 [N, 13], the arguments of ``Canvas.draw_curve``.
        """
        size, pressure = actions[:, SIZE], actions[:, PRESSURE]
        tips, before = self._tips[pressure], pens[:, 2]
        curves = np.empty((len(actions), 13))
        curves[:, 0:2] = pens[:, :2]
        curves[:, 2:4] = self._points[actions[:, CONTROL]]
        curves[:, 4:6] = self._points[actions[:, END]]
        curves[:, 6] = self._widths[size, pressure]
        curves[:, 7] = np.where(before > 0, before, tips)
        curves[:, 8] = tips
        curves[:, 9:12] = self._colors(actions)
        curves[:, 12] = self._opacities[pressure]
        return curves

    def _colors(self, actions: np.ndarray) -> np.ndarray:
        """(red, green, blue) of strokes, [N, 3] or one for all, [3]."""
        if self._palette is not None:
            return self._palette[actions[:, COLOR]]
        return self._shades[actions[:, COLOR:]] if self._has_shades else self._ink

    def strokes(self, actions: np.ndarray) -> list[Stroke]:
        """The strokes one episode's actions [T, parts] paint, with the very floats of ``curves``."""
        places = np.concatenate([self.start[np.newaxis, :2], self._points[actions[:-1, END]]])
        painting = self.painting(actions, places[: len(actions)])
        pens = np.concatenate([self.start[np.newaxis], self.pens_after(actions, painting)[:-1]])
        actions, curves = actions[painting], self.curves(actions[painting], pens[painting])
        return [_stroke(*pair) for pair in zip(curves.tolist(), actions.tolist(), strict=True)]


def _stroke(curve: Sequence[float], action: Sequence[int]) -> Stroke:
    x0, y0, x1, y1, x2, y2, width, pressure0, pressure1, red, green, blue, opacity = curve
    brush = Brush(width, (red, green, blue), opacity, (pressure0, pressure1))
    return Stroke(Point(x0, y0), Point(x1, y1), Point(x2, y2), brush, tuple(action))
