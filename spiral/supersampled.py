"""Strokes drawn large and averaged down to the canvas (SPIRAL++: 256 pixels to 64)."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from spiral.canvas import MAX_SIDE, Canvas, CanvasSpec

MARGIN = 1  # pixels of the canvas; what anti-aliasing may reach beyond a stroke


class SupersampledCanvas(Canvas):
    """A canvas whose pixels are each the mean of ``times`` x ``times`` of a larger one.

    Args:
        renderer: draws the larger canvas.
        times: how much larger; less where that would be more than 8192 pixels.
        spec, pixels: as of ``Canvas``.
    """

    def __init__(self, renderer: Callable[..., Canvas], times: int, spec: CanvasSpec, pixels: np.ndarray | None = None):
        self._times = times = min(times, MAX_SIDE // max(spec.width, spec.height))
        self._large = renderer(dataclasses.replace(spec, width=times * spec.width, height=times * spec.height))
        size = (times * spec.width, times * spec.height)
        self._image = Image.frombuffer("RGBX", size, self._large.memory, "raw", "RGBX", 0, 1)  # the memory, no copy
        super().__init__(spec, pixels)

    def clear(self) -> None:
        super().clear()
        self._large.clear()

    def cover(self, picture: np.ndarray) -> None:
        super().cover(picture)
        self._large.cover(picture.repeat(self._times, axis=0).repeat(self._times, axis=1))

    def become(self, other: SupersampledCanvas) -> None:
        super().become(other)
        self._large.become(other._large)

    def draw_swept(self, x0, y0, x1, y1, x2, y2, width0, width1, red, green, blue, opacity):
        self._large.draw_swept(x0, y0, x1, y1, x2, y2, width0, width1, red, green, blue, opacity)
        radius = max(width0, width1) / 2.0
        # A curve lies within the triangle of its points. All else is as it was.
        left, right = self._reach(min(x0, x1, x2) - radius, max(x0, x1, x2) + radius, self.spec.width)
        top, bottom = self._reach(min(y0, y1, y2) - radius, max(y0, y1, y2) + radius, self.spec.height)
        if left < right and top < bottom:
            box = tuple(self._times * edge for edge in (left, top, right, bottom))
            self.memory[top:bottom, left:right] = self._image.reduce(self._times, box)

    def _reach(self, low: float, high: float, side: int) -> tuple[int, int]:
        """From which pixel to which, the second left out, a stroke may reach along a side."""
        return max(0, math.floor(self._unit * low) - MARGIN), min(side, math.ceil(self._unit * high) + MARGIN)


@functools.cache
def supersampled(renderer: Callable[..., Canvas], times: int) -> Callable[..., Canvas]:
    """What makes a ``SupersampledCanvas`` of a spec, and of the memory to draw in."""
    return functools.partial(SupersampledCanvas, renderer, times)
