"""The action tables: the names, the order and the meaning of the small integers that one action is made of."""

from __future__ import annotations

import abc
from typing import ClassVar

import numpy as np
from gymnasium import spaces

from spiral.config import EnvConfig
from spiral.envs.arc_length import arc_lengths
from spiral.envs.spline import spline_curves
from spiral.errors import InputError

BRUSH_PARTS = ("size", "pressure")  # those of the colour follow
RGB_PARTS = ("red", "green", "blue")
PALETTE_PART = "color"
COLOR_PARTS = (*RGB_PARTS, PALETTE_PART)
FLAG, END = range(2)  # the first two columns of an action
MOVE, PAINT, LAST = range(3)  # values of `flag`; the third is one of compound strokes alone
ROUNDING_MM = 1e-6  # a stroke of just the minimum must not fall short of it by rounding
SPLINE_TOLERANCE = 1e-3  # of the canvas's shorter side: 0.1 mm on a picture of 100


class ActionTable(abc.ABC):
    """What each part of an action means on a canvas of this configuration.

    An action is one integer for each of ``parts``. ``flag`` says what it does; whatever that is, the pen is at ``end``
    afterwards. ``end`` is a cell of a K x K grid that covers the whole canvas, edges included: cell
    ``row * K + column`` is the point ``(column / (K - 1), row / (K - 1))``. ``size`` and ``pressure`` are levels; a
    part that has one level only stays where it is, so that names and order never change.

    With a ``palette`` the last part is ``color``, the number of a pen: strokes have exactly the palette's colours.
    Without one RGB canvases have the parts ``red``, ``green`` and ``blue``, each of ``color_levels`` (a single level
    means the ink), and grey canvases no part for the colour: all strokes have the ink's.

    A stroke that is shorter on paper than ``minimum_mm`` leaves no ink, as if the pen had been lifted. All parts of
    its actions count as relevant, because each point decided on the length: what is relevant depends on ``flag`` alone.

    Attributes:
        parts: names of the parts, in the order of the columns of an action.
        nvec: int64 [parts], the number of values of each part.
        space: ``MultiDiscrete(nvec)``.
        relevant: bool [flags, parts], row ``flag``: which parts change anything for this value of ``flag``.
        cell_points: float32 [K * K, 2], (x, y) of each cell in canvas fractions.
        sides: float64 [2], the canvas's width and height in shorter sides.
        mm: float64 [2], the same on paper.
    """

    flags: ClassVar[int]
    points: ClassVar[tuple[str, ...]]  # the parts that are cells of the grid
    chooses: ClassVar[int]  # the flag with which all the other parts matter, too

    def __init__(self, config: EnvConfig):
        if config.palette:
            colors = {PALETTE_PART: len(config.palette)}
        else:
            colors = dict.fromkeys(RGB_PARTS if config.channels == 3 else (), config.color_levels)
        brush = dict(zip(BRUSH_PARTS, (len(config.sizes), len(config.pressures)), strict=True))
        values = {"flag": self.flags} | dict.fromkeys(self.points, config.grid**2) | brush | colors
        self.parts = tuple(values)
        self.nvec = np.array(list(values.values()), np.int64)
        self._counts = self.nvec.astype(np.uint64)
        self.space = spaces.MultiDiscrete(self.nvec)
        self.relevant = np.tile(np.isin(self.parts, ("flag", "end")), (self.flags, 1))
        self.relevant[self.chooses] = True
        self.sides = np.array([config.width, config.height]) / min(config.width, config.height)
        self.mm = config.picture_mm * self.sides
        self._minimum = config.minimum_mm - ROUNDING_MM
        self._start = config.start

        steps = np.arange(config.grid) / (config.grid - 1)
        self._cells = np.stack([np.tile(steps, config.grid), steps.repeat(config.grid)], axis=1)
        self.cell_points = self._cells.astype(np.float32)

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
        self._size = self.parts.index("size")
        self._pressure, self._color = self._size + 1, self._size + 2

    @abc.abstractmethod
    def pens(self, count: int) -> np.ndarray:
        """Pens at the start of an episode: an array [count] of records, all that strokes take over from earlier actions.

        Their field ``place``, float64 [2], says where they are, in canvas fractions.
        """

    def put(self, pens: np.ndarray, index: int, place: tuple[float, float]) -> None:
        """Put one of the pens, which has done nothing yet, to a place on the canvas: to the nearest, if it is beyond the edge."""
        pens["place"][index] = np.clip(place, 0.0, 1.0)

    @abc.abstractmethod
    def paint(self, actions: np.ndarray, pens: np.ndarray, over: bool) -> tuple[np.ndarray, np.ndarray]:
        """Do these actions [N, parts] with these pens [N], which are changed.

        Args:
            actions, pens: one for each canvas.
            over: these are the last actions of their episodes.

        Returns:
            canvases: int64 [M], which canvas each curve is painted on, in rising order.
            curves: float64 [M, 13], each the arguments of ``Canvas.draw_curve``; several on one canvas are one stroke.
        """

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
        checked = actions.astype(np.int64)
        wrong = checked.view(np.uint64) >= self._counts  # a negative number is then a huge one
        if wrong.any():
            index, part = np.argwhere(wrong)[0]
            raise InputError(
                f"part {self.parts[part]!r} of action {index} is {actions[index, part]}; "
                f"accepted: 0 to {self.nvec[part] - 1}"
            )
        return checked

    def _brushes(self, actions: np.ndarray) -> np.ndarray:
        """float64 [N, 7], columns 6 to 12 of a curve: width, pressure at its start and end, colour, opacity."""
        pressure = actions[:, self._pressure]
        brushes = np.empty((len(actions), 7))
        brushes[:, 0] = self._widths[actions[:, self._size], pressure]
        brushes[:, 1] = brushes[:, 2] = self._tips.take(pressure)
        brushes[:, 3:6] = self._colors(actions)
        brushes[:, 6] = self._opacities.take(pressure)
        return brushes

    def _colors(self, actions: np.ndarray) -> np.ndarray:
        """(red, green, blue) of strokes, [N, 3] or one for all, [3]."""
        if self._palette is not None:
            return self._palette[actions[:, self._color]]
        return self._shades[actions[:, self._color :]] if self._has_shades else self._ink

    def _lengths_mm(self, start: np.ndarray, control: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Lengths [N] on paper of curves by their points [N, 2]."""
        return arc_lengths(start * self.mm, control * self.mm, end * self.mm)


class SimpleTable(ActionTable):
    """Each painting action is a stroke: the quadratic Bezier from the pen through ``control`` to ``end``.

    ``flag`` 1 paints, 0 only moves the pen: ``control``, a cell too, and the brush do not matter then.

    What ``pressure`` does is the option ``pressure_controls``:

    - ``"opacity"``: the stroke is as opaque as the pressure, its width is constant;
    - ``"width"``: the width is size times pressure, constant along the stroke, opaque;
    - ``"taper"``: opaque, and the pressure runs along the stroke from that of the painted action before it to its
      own. The first stroke after a pen move, or of an episode, has its own pressure throughout. (The released code of
      arXiv 1804.01118 starts at pressure 0 there, which leaves no way to put down a dot or an even line.)
    """

    flags, points, chooses = 2, ("end", "control"), PAINT
    _CONTROL = 2

    def pens(self, count: int) -> np.ndarray:
        # The pressure is that on the canvas: 0 if the pen is lifted, as after a pen move.
        pens = np.zeros(count, [("place", float, 2), ("pressure", float)])
        pens["place"] = self._start
        return pens

    def paint(self, actions: np.ndarray, pens: np.ndarray, over: bool) -> tuple[np.ndarray, np.ndarray]:
        # `take` is three times as quick as indexing with an array.
        starts, ends = pens["place"], self._cells.take(actions[:, END], axis=0)
        painting = actions[:, FLAG] == PAINT
        if self._minimum > 0:
            painting &= self._lengths_mm(starts, self._cells[actions[:, self._CONTROL]], ends) >= self._minimum
        canvases = np.flatnonzero(painting)
        painted, before = actions.take(canvases, axis=0), pens["pressure"].take(canvases)
        curves = np.empty((len(canvases), 13))
        curves[:, 0:2] = starts.take(canvases, axis=0)
        curves[:, 2:4] = self._cells.take(painted[:, self._CONTROL], axis=0)
        curves[:, 4:6] = ends.take(canvases, axis=0)
        curves[:, 6:] = self._brushes(painted)
        curves[:, 7] = np.where(before > 0, before, curves[:, 8])
        pens["place"] = ends
        pens["pressure"] = self._tips.take(actions[:, self._pressure]) * painting
        return canvases, curves


class CompoundTable(ActionTable):
    """A stroke is painted by several actions: each adds a control point, then a cubic spline is drawn (SPIRAL++).

    ``flag`` 1 adds ``end`` to the stroke's points, the first of which is where the pen was; 2 adds it and ends the
    stroke; 0 puts the pen at ``end`` and chooses the brush of all strokes until the next such action. Only then do
    size, pressure and colour matter. Before the first, the brush has the first level of each, as the action of zeros,
    which is the previous one then, would have chosen. A stroke under way is drawn as it is when the pen is moved, and
    when the episode is over; until it is drawn it is neither on the canvas nor in the program.

    The spline is a uniform cubic B-spline from the first point to the last, as ``spline_curves`` makes it: of two
    points a line, of three the stroke of ``SimpleTable``. In a program it is a chain of strokes, none further from it
    than a thousandth of the canvas's shorter side. The pressure is the same all along, so that ``"taper"`` looks as
    ``"width"`` does; with ``"opacity"`` the links would show where they overlap.
    """

    flags, points, chooses = 3, ("end",), MOVE

    def __init__(self, config: EnvConfig):
        super().__init__(config)
        self._most = config.episode_length + 1  # points of a stroke

    def pens(self, count: int) -> np.ndarray:
        # Of the stroke under way: its points, how many they are, and its brush.
        fields = [("place", float, 2), ("points", float, (self._most, 2)), ("count", int), ("brush", float, 7)]
        pens = np.zeros(count, fields)
        pens["place"] = pens["points"][:, 0] = self._start
        pens["count"] = 1
        pens["brush"] = self._brushes(np.zeros((count, len(self.parts)), np.int64))
        return pens

    def put(self, pens: np.ndarray, index: int, place: tuple[float, float]) -> None:
        super().put(pens, index, place)
        pens["points"][index, 0] = pens["place"][index]

    def paint(self, actions: np.ndarray, pens: np.ndarray, over: bool) -> tuple[np.ndarray, np.ndarray]:
        flags, places = actions[:, FLAG], self._cells[actions[:, END]]
        adding = flags != MOVE
        pens["points"][adding, pens["count"][adding]] = places[adding]
        pens["count"] += adding
        ending = np.flatnonzero((flags != PAINT) | over)
        strokes = [self._stroke(pens[index]) for index in ending.tolist()]
        moving = ~adding
        pens["brush"][moving] = self._brushes(actions[moving])
        pens["place"] = places
        pens["points"][ending, 0] = places[ending]
        pens["count"][ending] = 1
        canvases = ending.repeat(np.array([len(stroke) for stroke in strokes], int))
        return canvases, np.concatenate([np.empty((0, 13)), *strokes])

    def _stroke(self, pen: np.void) -> np.ndarray:
        """The curves float64 [M, 13] of the stroke under way; none if it has no length yet, or too little."""
        if pen["count"] == 1:
            return np.empty((0, 13))
        points = spline_curves(pen["points"][: pen["count"]], self.sides, SPLINE_TOLERANCE)
        if self._minimum > 0 and self._lengths_mm(*points.transpose(1, 0, 2)).sum() < self._minimum:
            return np.empty((0, 13))
        return np.concatenate([points.reshape(-1, 6), np.tile(pen["brush"], (len(points), 1))], axis=1)


def action_table(config: EnvConfig) -> ActionTable:
    """The table of the kind of strokes this environment paints with."""
    return {"simple": SimpleTable, "compound": CompoundTable}[config.strokes](config)
