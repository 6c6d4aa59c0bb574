"""The action table: the names, the order and the meaning of the small integers that one action is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from spiral.config import EnvConfig
from spiral.errors import InputError
from spiral.geometry import Point
from spiral.stroke import Brush, Stroke

PARTS = ("flag", "end", "control", "size", "pressure", "red", "green", "blue")
FLAG, END, CONTROL, SIZE, PRESSURE, RED = range(6)
MOVE, PAINT = 0, 1  # values of `flag`


class Pen(NamedTuple):
    """What the next stroke takes over from the action before it.

    ``pressure`` is the pressure the last stroke ended with; None after a pen move and at the start of an episode.
    """

    x: float
    y: float
    pressure: float | None = None


class ActionTable:
    """What each part of an action means on a canvas of this configuration.

    An action is one integer for each of ``parts``. ``flag`` says whether it paints (1) or only moves the pen (0).
    A stroke is the quadratic Bezier from the pen through ``control`` to ``end``; either kind of action leaves the pen
    at ``end``. ``end`` and ``control`` are cells of a K x K grid that covers the whole canvas, edges included: cell
    ``row * K + column`` is the point ``(column / (K - 1), row / (K - 1))``. ``size``, ``pressure`` and the colours are
    levels; a single colour level means the ink. The colour parts are absent on grey canvases; any other part that has
    one level only stays where it is, so that names and order never change.

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
    """

    def __init__(self, config: EnvConfig):
        levels = [config.color_levels] * 3 if config.channels == 3 else []
        cells = config.grid**2
        self.nvec = np.array([2, cells, cells, len(config.sizes), len(config.pressures), *levels], np.int64)
        self.parts = PARTS[: len(self.nvec)]
        self.space = spaces.MultiDiscrete(self.nvec)
        self.relevant = np.ones((2, len(self.parts)), bool)
        self.relevant[MOVE] = np.isin(self.parts, ("flag", "end"))
        self.start = Pen(*map(float, config.start))

        steps = [index / (config.grid - 1) for index in range(config.grid)]
        self._points = [(x, y) for y in steps for x in steps]
        self.cell_points = np.array(self._points, np.float32)

        # Look-up lists of plain floats, because decoding is inside the innermost loop of training. The three pressure
        # controls are three fillings of the same lists: `_tips` is the pressure a stroke of this level ends with.
        pressures = [float(level) for level in config.pressures]
        ones = [1.0] * len(pressures)
        controls = config.pressure_controls
        self._opacities = pressures if controls == "opacity" else ones
        self._tips = pressures if controls == "taper" else ones
        shares = pressures if controls == "width" else ones
        self._widths = [[float(size) * share for share in shares] for size in config.sizes]
        self._ink = tuple(map(float, config.ink))
        self._colors = [_shades(config.color_levels, alone) for alone in self._ink]

    def checked(self, actions: np.ndarray) -> np.ndarray:
        """``actions`` as an integer array [N, parts], every value within its part's range.

        Raises:
            InputError: another shape, another type, or a value out of range; the message names the part.
        """
        actions = np.asarray(actions)
        if actions.ndim != 2 or actions.shape[1] != len(self.parts) or actions.dtype.kind not in "iu":
            raise InputError(
                f"actions are {actions.dtype} {list(actions.shape)}; accepted: integers [N, {len(self.parts)}], "
                f"one column for each of {', '.join(self.parts)}"
            )
        wrong = (actions < 0) | (actions >= self.nvec)
        if wrong.any():
            index, part = np.argwhere(wrong)[0]
            raise InputError(
                f"part {self.parts[part]!r} of action {index} is {actions[index, part]}; "
                f"accepted: 0 to {self.nvec[part] - 1}"
            )
        return actions

    def masks(self, actions: np.ndarray) -> np.ndarray:
        """bool [N, parts]: which parts of each of these actions [N, parts] mattered."""
        return self.relevant[actions[:, FLAG]]

    def pen_after(self, action: Sequence[int]) -> Pen:
        """The pen once this action is done; it depends on this action alone."""
        x, y = self._points[action[END]]
        return Pen(x, y, self._tips[action[PRESSURE]] if action[FLAG] == PAINT else None)

    def curve(self, action: Sequence[int], pen: Pen) -> tuple[float, ...] | None:
        """The arguments of ``Canvas.draw_curve`` for this action, or None if it only moves the pen."""
        flag, end, control, size, pressure, *color = action
        if flag == MOVE:
            return None
        x, y, pressure_before = pen
        tip = self._tips[pressure]
        return (
            x, y, *self._points[control], *self._points[end],
            self._widths[size][pressure], tip if pressure_before is None else pressure_before, tip,
            *self._color(color), self._opacities[pressure],
        )  # fmt: skip

    def decode(self, action: Sequence[int], pen: Pen) -> Stroke | None:
        """The stroke this action paints from here, with the same floats as ``curve``; None if it only moves the pen."""
        curve = self.curve(action, pen)
        if curve is None:
            return None
        x0, y0, x1, y1, x2, y2, width, pressure0, pressure1, red, green, blue, opacity = curve
        brush = Brush(width, (red, green, blue), opacity, (pressure0, pressure1))
        return Stroke(Point(x0, y0), Point(x1, y1), Point(x2, y2), brush, tuple(action))

    def _color(self, levels: Sequence[int]) -> Sequence[float]:
        return [shades[level] for shades, level in zip(self._colors, levels)] if levels else self._ink


def _shades(count: int, alone: float) -> list[float]:
    """``count`` values from 0 to 1, edges included; ``alone`` where there is one level only."""
    return [level / (count - 1) for level in range(count)] if count > 1 else [alone]
