"""The surface strokes are drawn on: its description, and what every renderer's canvas has in common."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass

import numpy as np

from spiral import checks
from spiral.errors import InputError
from spiral.stroke import Stroke

MAX_SIDE = 8192  # pixels; what a canvas may be drawn at, much larger than it may be painted at


@dataclass(frozen=True)
class CanvasSpec:
    """Size and background of a canvas.

    Attributes:
        width, height: pixels, 1..8192.
        channels: 1 (grey) or 3 (RGB).
        background: (red, green, blue), each in 0..1; all the same on a grey canvas.

    Raises:
        InputError: a value is out of range; the message names it.
    """

    width: int
    height: int
    channels: int
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self):
        object.__setattr__(self, "width", checks.integer(self.width, "canvas width", 1, MAX_SIDE))
        object.__setattr__(self, "height", checks.integer(self.height, "canvas height", 1, MAX_SIDE))
        if isinstance(self.channels, (bool, float)) or self.channels not in (1, 3):
            raise InputError(f"canvas channels must be 1 (grey) or 3 (RGB), got {self.channels!r:.60}")
        object.__setattr__(self, "background", checks.color(self.background, "canvas background"))
        self.check_color(self.background, "canvas background")

    def check_color(self, color: tuple[float, float, float], name: str) -> None:
        """Refuse a colour this canvas cannot show.

        Raises:
            InputError: the canvas is grey and the colour is not.
        """
        if self.channels == 1 and len(set(color)) > 1:
            raise InputError(
                f"{name} must have equal red, green and blue on a grey canvas, got {list(color)}; "
                "use such a colour or a canvas of 3 channels"
            )


class Canvas(abc.ABC):
    """A canvas in memory; a renderer is a subclass that says how a curve is drawn.

    Args:
        spec: size and background.
        pixels: the memory to draw in, C-contiguous uint8 [H, W, 4], each pixel red, green, blue and an unused byte;
            this way many canvases share one array [N, H, W, 4]. It is cleared. Its own memory where None.

    Raises:
        InputError: ``pixels`` has another shape, type or order.

    Attributes:
        spec: as given.
        memory: the pixels themselves, uint8 [H, W, 4], not a copy.
    """

    def __init__(self, spec: CanvasSpec, pixels: np.ndarray | None = None):
        shape = (spec.height, spec.width, 4)
        if pixels is None:
            pixels = np.empty(shape, np.uint8)
        if pixels.shape != shape or pixels.dtype != np.uint8 or not pixels.flags.c_contiguous:
            raise InputError(
                f"pixels must be C-contiguous uint8 {list(shape)}, got {pixels.dtype} {list(pixels.shape)}"
                f"{'' if pixels.flags.c_contiguous else ', not contiguous'}"
            )
        self.spec = spec
        self.memory = pixels
        self._words = pixels.view(np.uint32)  # a word a pixel: filling words is the fastest way to clear
        self._blank = np.array([*(round(255 * level) for level in spec.background), 255], np.uint8).view(np.uint32)
        self._unit = min(spec.width, spec.height)  # pixels of the shorter side, the unit of widths
        self._x_side, self._y_side = spec.width / self._unit, spec.height / self._unit
        self.clear()

    def clear(self) -> None:
        """Make every pixel the background again."""
        self._words[...] = self._blank

    def cover(self, picture: np.ndarray) -> None:
        """Show a picture, uint8 [H, W, C]."""
        self.memory[..., : self.spec.channels] = picture

    def become(self, other: Canvas) -> None:
        """Show what another canvas of the same kind and size shows."""
        self.memory[...] = other.memory

    def pixels(self) -> np.ndarray:
        """A fresh copy of what is painted, uint8 [H, W, C]."""
        return self.memory[..., : self.spec.channels].copy()

    def draw(self, stroke: Stroke) -> None:
        """Draw one stroke over what is there."""
        brush = stroke.brush
        self.draw_curve(
            *stroke.start, *stroke.control, *stroke.end, brush.width, *brush.pressure, *brush.color, brush.opacity
        )

    def draw_curve(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        width: float,
        pressure0: float,
        pressure1: float,
        red: float,
        green: float,
        blue: float,
        opacity: float,
    ) -> None:
        """What `draw` does, from plain floats: the quick way for environments that have no `Stroke` yet.

        Start (x0, y0), control (x1, y1) and end (x2, y2), then the brush; units and ranges as in `Stroke`, `Brush`.

        Raises:
            InputError: a number is not finite. (Ranges are not checked here.)
        """
        # A drawing library may take NaN without a word and paint garbage.
        total = x0 + y0 + x1 + y1 + x2 + y2 + width + pressure0 + pressure1 + red + green + blue + opacity
        if not math.isfinite(total):
            got = (x0, y0, x1, y1, x2, y2, width, pressure0, pressure1, red, green, blue, opacity)
            raise InputError(f"a curve must have finite numbers, got {got}")
        x_side, y_side = self._x_side, self._y_side
        self.draw_swept(
            x0 * x_side,
            y0 * y_side,
            x1 * x_side,
            y1 * y_side,
            x2 * x_side,
            y2 * y_side,
            width * pressure0,
            width * pressure1,
            red,
            green,
            blue,
            opacity,
        )

    @abc.abstractmethod
    def draw_swept(self, x0, y0, x1, y1, x2, y2, width0, width1, red, green, blue, opacity) -> None:
        """Paint what a disc covers whose centre goes along the curve.

        Coordinates and diameters are in shorter sides of the canvas, the same unit along x and y; the diameter is
        linear in the curve's parameter, from ``width0`` to ``width1``.
        """
