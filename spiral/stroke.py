"""What one visible mark is: a quadratic Bezier curve and the brush that draws it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spiral import checks
from spiral.geometry import Point, split

REACH = (-1.0, 2.0)  # canvas fractions: a point may lie at most one canvas outside
MAX_WIDTH = 2.0
MAX_ACTION_PARTS = 64


@dataclass(frozen=True)
class Brush:
    """How a stroke looks.

    Attributes:
        width: diameter at full pressure, as a fraction of the canvas's shorter side; above 0, at most 2.
        color: (red, green, blue), each in 0..1.
        opacity: 0..1, uniform over the stroke.
        pressure: at start and end, each in 0..1; the local width is ``width`` times the pressure, which is linear
            in the curve's parameter.

    Raises:
        InputError: a value is not finite or out of range; the message names it.
    """

    width: float
    color: tuple[float, float, float] = (0.0, 0.0, 0.0)
    opacity: float = 1.0
    pressure: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self):
        width = checks.number(self.width, "width", 0.0, MAX_WIDTH, low_included=False)
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "color", checks.color(self.color, "color"))
        object.__setattr__(self, "opacity", checks.number(self.opacity, "opacity", 0.0, 1.0))
        pressure = checks.numbers_of(self.pressure, "pressure", ("start", "end"), 0.0, 1.0)
        object.__setattr__(self, "pressure", pressure)


@dataclass(frozen=True)
class Stroke:
    """A quadratic Bezier curve from ``start`` to ``end``, bent towards ``control``, in canvas fractions.

    Attributes:
        start, control, end: x to the right, y down; each coordinate in -1..2, the canvas being 0..1.
        brush: how it looks.
        action: the raw action it came from, or None.

    Raises:
        InputError: a value is not finite or out of range; the message names it.
    """

    start: Point
    control: Point
    end: Point
    brush: Brush
    action: tuple[int, ...] | None = None

    def __post_init__(self):
        for name in ("start", "control", "end"):
            point = checks.numbers_of(getattr(self, name), name, ("x", "y"), *REACH)
            if type(point) is not Point:
                object.__setattr__(self, name, Point(*point))
        checks.instance(self.brush, "brush", Brush)
        if self.action is not None:
            object.__setattr__(self, "action", checks.integers_of(self.action, "action", MAX_ACTION_PARTS))

    def placed(self, column: float, row: float, columns: float, rows: float, narrower: float) -> Stroke:
        """The stroke on a canvas of which its own is a part.

        Args:
            column, row: where its canvas begins there, in widths and heights of its canvas.
            columns, rows: width and height of the larger canvas, in the same units.
            narrower: the shorter side of its canvas as a share of the larger one's.
        """

        def on_larger(point: Point) -> Point:
            return Point((column + point.x) / columns, (row + point.y) / rows)

        start, control, end = map(on_larger, (self.start, self.control, self.end))
        brush = replace(self.brush, width=narrower * self.brush.width)
        return replace(self, start=start, control=control, end=end, brush=brush)

    def between(self, t0: float, t1: float) -> Stroke:
        """The stroke's part from parameter ``t0`` to ``t1`` of its curve, 0 <= t0 < t1 <= 1."""
        _, _, start, control, end = split(self.start, self.control, self.end, t0)
        _, control, end, _, _ = split(start, control, end, (t1 - t0) / (1.0 - t0))
        pressure0, pressure1 = self.brush.pressure
        pressure = tuple(pressure0 + t * (pressure1 - pressure0) for t in (t0, t1))
        return replace(self, start=start, control=control, end=end, brush=replace(self.brush, pressure=pressure))

    def until(self, t: float) -> Stroke:
        """The stroke half-way through being painted: its part from the start to parameter ``t`` in 0..1."""
        return self.between(0.0, t)
