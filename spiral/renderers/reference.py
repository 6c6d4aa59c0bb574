"""Strokes by brute force, to check the other renderers against: exact to the sample, and slow."""

from __future__ import annotations

import math

import numpy as np

from spiral.canvas import Canvas
from spiral.geometry import Point, bezier_point
from spiral.renderers import RENDERERS

SAMPLES = 8  # along each side of a pixel
STEP = 0.5  # samples between two discs of the sweep


@RENDERERS.register("reference")
class ReferenceCanvas(Canvas):
    """Slow and simple: very many discs over 8 x 8 samples a pixel; only to check other renderers."""

    def draw_swept(self, x0, y0, x1, y1, x2, y2, width0, width1, red, green, blue, opacity):
        scale = self._unit * SAMPLES
        start, control, end = (Point(x * scale, y * scale) for x, y in ((x0, y0), (x1, y1), (x2, y2)))
        covered = np.zeros((self.spec.height * SAMPLES, self.spec.width * SAMPLES), bool)
        # No curve is longer than its control polygon, and it moves at most twice as fast as its mean.
        discs = 1 + math.ceil(2.0 * (math.dist(start, control) + math.dist(control, end)) / STEP)
        for t in np.linspace(0.0, 1.0, discs + 1):
            diameter = (1.0 - t) * width0 + t * width1
            _cover(covered, bezier_point(start, control, end, t), scale * diameter / 2.0)
        share = covered.reshape(self.spec.height, SAMPLES, self.spec.width, SAMPLES).mean(axis=(1, 3))
        paint = 255.0 * np.array([red, green, blue])
        image = self.memory[..., :3]
        image[...] = np.rint(image + (paint - image) * (opacity * share[..., None]))


def _cover(covered: np.ndarray, centre: Point, radius: float) -> None:
    """Set the samples, bool [rows, columns], whose middles lie in the disc."""
    top, left = max(0, math.floor(centre.y - radius)), max(0, math.floor(centre.x - radius))
    box = covered[top : max(0, math.ceil(centre.y + radius)), left : max(0, math.ceil(centre.x + radius))]
    y = np.arange(top, top + box.shape[0])[:, None] + 0.5 - centre.y
    x = np.arange(left, left + box.shape[1]) + 0.5 - centre.x
    box |= x * x + y * y < radius * radius
