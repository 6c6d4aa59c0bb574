"""The sheet, and where the canvas lies on it and on the machine: the one map from canvas to millimetres."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spiral import checks
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.geometry import Point

SIZES = {  # mm, upright
    "A0": (841.0, 1189.0),
    "A1": (594.0, 841.0),
    "A2": (420.0, 594.0),
    "A3": (297.0, 420.0),
    "A4": (210.0, 297.0),
    "A5": (148.0, 210.0),
    "A6": (105.0, 148.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
MAX_SIDE = 10_000.0  # mm


@dataclass(frozen=True)
class Page:
    """A sheet of paper: width and height in mm, upright or not as they say."""

    width: float
    height: float


def page_named(name: str, landscape: bool = False) -> Page:
    """The page of this name (``A4``, ``letter``) or of these sides (``200x150``, mm).

    Args:
        name: as above; upper or lower case is the same.
        landscape: lay a named page on its side. Sides that are given are taken as they are.

    Raises:
        InputError: it is neither; the message lists the names.
    """
    sides = re.fullmatch(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(?:mm)?", name)
    if sides:
        return Page(*(checks.number(float(side), "page side (mm)", 1.0, MAX_SIDE) for side in sides.groups()))
    named = {known.lower(): size for known, size in SIZES.items()}.get(name.lower())
    if named is None:
        raise InputError(
            f"unknown page {name!r:.60}; accepted: {', '.join(SIZES)}, or WIDTHxHEIGHT in mm, like 200x150"
        )
    width, height = named
    return Page(height, width) if landscape else Page(width, height)


@dataclass(frozen=True)
class Frame:
    """Where the canvas lies: on the page, and with the page on the machine.

    It is the canvas that is placed, not the ink: strokes stay where they are on the picture.

    Attributes:
        page: the sheet.
        left, top, width, height: of the canvas on the page, mm from the page's top left corner.
        at: (x, y) of the page's corner that has the smallest coordinates on the machine, mm.
        y_up: whether the machine's y axis points up the page; down it if False. This is the only flip there is.
    """

    page: Page
    left: float
    top: float
    width: float
    height: float
    at: tuple[float, float] = (0.0, 0.0)
    y_up: bool = False

    @property
    def unit(self) -> float:
        """The shorter side of the canvas in mm, the unit of stroke widths."""
        return min(self.width, self.height)

    def on_machine(self, point: Point) -> Point:
        """A point of the canvas, in canvas fractions, in mm on the machine."""
        x, y = self.left + point.x * self.width, self.top + point.y * self.height
        return Point(self.at[0] + x, self.at[1] + (self.page.height - y if self.y_up else y))

    def on_page(self, x: float, y: float) -> Point:
        """A point on the machine, mm, as mm right of and below the page's top left corner."""
        x, y = x - self.at[0], y - self.at[1]
        return Point(x, self.page.height - y if self.y_up else y)


def frame_for(
    canvas: CanvasSpec,
    page: Page,
    margin: float = 0.0,
    size: float | None = None,
    at: tuple[float, float] = (0.0, 0.0),
    y_up: bool = False,
) -> Frame:
    """The canvas in the middle of a page, its sides in proportion.

    Args:
        canvas: whose sides' ratio is kept.
        page: the sheet.
        margin: least distance from the page's edges, mm.
        size: the longer side of the picture, mm; as large as the margins allow where None.
        at, y_up: as of ``Frame``.

    Raises:
        InputError: nothing is left between the margins, or the size does not fit between them.
    """
    margin = checks.number(margin, "margin (mm)", 0.0, MAX_SIDE)
    room_x, room_y = page.width - 2 * margin, page.height - 2 * margin
    if min(room_x, room_y) <= 0:
        raise InputError(
            f"a margin of {margin:g} mm leaves nothing of a page of {page.width:g} x {page.height:g} mm; make it smaller"
        )
    longer = max(canvas.width, canvas.height)
    largest = min(room_x / canvas.width, room_y / canvas.height) * longer
    if size is None:
        size = largest
    elif checks.number(size, "size (mm)", 0.0, MAX_SIDE, low_included=False) > largest + 1e-9:
        raise InputError(
            f"a picture of {size:g} mm does not fit: between margins of {margin:g} mm on a page of {page.width:g} x "
            f"{page.height:g} mm its longer side is at most {largest:.1f} mm"
        )
    width, height = (side * size / longer for side in (canvas.width, canvas.height))
    return Frame(page, (page.width - width) / 2, (page.height - height) / 2, width, height, at, y_up)
