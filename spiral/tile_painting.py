"""Painting a large picture patch by patch, into one program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from spiral.canvas import Canvas
from spiral.commission import Commission, Options, canvas_of
from spiral.config import EnvConfig
from spiral.metrics import squared_error
from spiral.paint import seeded
from spiral.program import Program, pixel_checksum
from spiral.progress import Watch, unwatched
from spiral.renderers import RENDERERS
from spiral.stroke import Stroke
from spiral.tiles import patches

if TYPE_CHECKING:
    from spiral.agents.painter import Painter  # it imports torch


class LargeCanvas:
    """A canvas that takes strokes only where they bring it nearer to its target.

    Args:
        asked: its size, its target, and what is on it at first.
        renderer: name of what draws on it.
        scale: of the squared error, see `squared_error`.

    Attributes:
        strokes: all on it, those given at the start too.
    """

    def __init__(self, asked: Commission, renderer: str, scale: int = 1):
        self._target, self._scale = asked.target.pixels, scale
        self._canvas, self._trial = (RENDERERS.get(renderer)(asked.canvas) for _ in range(2))
        if asked.picture is not None:
            self._canvas.cover(asked.picture.pixels)
        self.strokes: list[Stroke] = []
        self._take(() if asked.program is None else asked.program.strokes)

    @property
    def pixels(self) -> np.ndarray:
        """uint8 [H, W, C], a copy."""
        return self._canvas.pixels()

    def take_best(self, tries: Iterable[Sequence[Stroke]]) -> None:
        """Of these lists of strokes the one that lowers the squared error most, or none of them."""
        best, least = (), self._error(self._canvas)
        for strokes in tries:
            self._trial.become(self._canvas)
            for stroke in strokes:
                self._trial.draw(stroke)
            if (error := self._error(self._trial)) < least:
                best, least = strokes, error
        self._take(best)

    def _take(self, strokes: Sequence[Stroke]) -> None:
        for stroke in strokes:
            self._canvas.draw(stroke)
        self.strokes += strokes

    def _error(self, canvas: Canvas) -> float:
        return squared_error(canvas.pixels()[np.newaxis], self._target[np.newaxis], self._scale)


def paint_tiles(
    painter: Painter,
    env: EnvConfig,
    asked: Commission,
    options: Options,
    number: int = 0,
    watch: Watch = unwatched,
    scale: int = 1,
) -> tuple[Program, np.ndarray]:
    """Paint a target that is larger than the painter's canvas, patch by patch.

    Each patch begins on what the large canvas shows there, and is kept if that brings the whole nearer to the target.
    Its strokes are not cut at its borders.

    Args:
        painter: chooses the actions.
        env: the settings it was trained with.
        asked: the target, on its large canvas.
        options: of which seed and tries count: every patch is painted so often.
        number: of the painting; those of different numbers differ like those of different seeds.
        watch: told of the patches.
        scale: of the squared error, see `squared_error`.

    Returns:
        The program, and its canvas uint8 [H, W, C].
    """
    from spiral.agents.rollout import paint_rollout
    from spiral.envs.vector import PaintVectorEnv

    easels = PaintVectorEnv(options.best_of, env)
    whole = LargeCanvas(asked, env.renderer, scale)
    label = {} if asked.label is None else {"label": asked.label}
    parts = patches(canvas_of(env), asked.canvas)
    for place, patch in enumerate(watch(parts, len(parts))):
        given = {"target": patch.of(asked.target.pixels), "canvas": patch.of(whole.pixels)} | label
        env_seed, generator = seeded(options.seed, number, place)
        paint_rollout(easels, painter, generator, seed=env_seed, options=given, greedy=options.tries)
        whole.take_best([patch.on_whole(stroke) for stroke in program.strokes] for program in easels.programs())
    pixels = whole.pixels
    checksum = pixel_checksum(pixels) if asked.picture is None else None
    return Program(asked.canvas, whole.strokes, renderer=env.renderer, seed=options.seed, checksum=checksum), pixels
