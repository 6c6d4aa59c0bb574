"""Painting a large picture patch by patch, into one program."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from spiral.commission import Commission, Options, canvas_of
from spiral.config import EnvConfig
from spiral.metrics import squared_error
from spiral.paint import seeded, side_by_side
from spiral.program import Program, pixel_checksum
from spiral.progress import Watch, unwatched
from spiral.renderers import RENDERERS
from spiral.stroke import Stroke
from spiral.tiles import apart, patches

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
        """uint8 [H, W, C], not to be written to."""
        return self._pixels

    def take_best(self, tries: Iterable[Sequence[Stroke]]) -> None:
        """Of these lists of strokes the one that lowers the squared error most, or none of them."""
        best, most = (), 0.0
        for strokes in tries:
            self._trial.become(self._canvas)
            for stroke in strokes:
                self._trial.draw(stroke)
            if (gain := self._gain(self._trial.pixels())) > most:
                best, most = strokes, gain
        self._take(best)

    def _take(self, strokes: Sequence[Stroke]) -> None:
        for stroke in strokes:
            self._canvas.draw(stroke)
        self.strokes += strokes
        self._pixels = self._canvas.pixels()

    def _gain(self, pixels: np.ndarray) -> float:
        """How much smaller the blocks' sum of squares would be with these pixels: only those that change are looked at."""
        changed = (pixels != self._pixels).any(axis=2)
        if not changed.any():
            return 0.0
        box = tuple(self._blocks(changed.any(axis=axis)) for axis in (1, 0))
        before, after = (
            squared_error(each[box][np.newaxis], self._target[box][np.newaxis], self._scale)
            for each in (self._pixels, pixels)
        )
        return (before - after) * math.prod(math.ceil(side / self._scale) for side in changed[box].shape)

    def _blocks(self, changed: np.ndarray) -> slice:
        """From the first to the last of the blocks of the squared error along one side that have changed."""
        first, last = np.flatnonzero(changed)[[0, -1]] // self._scale
        return slice(first * self._scale, (last + 1) * self._scale)


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
    Its strokes are not cut at its borders. Those that do not overlap are painted side by side.

    Args:
        painter: chooses the actions.
        env: the settings it was trained with.
        asked: the target, on its large canvas.
        options: of which seed and tries count: every patch is painted so often.
        number: of the painting; those of different numbers differ like those of different seeds.
        watch: told of the groups of patches that are painted side by side.
        scale: of the squared error, see `squared_error`.

    Returns:
        The program, and its canvas uint8 [H, W, C].
    """
    from spiral.agents.rollout import paint_rollout
    from spiral.envs.vector import PaintVectorEnv

    whole = LargeCanvas(asked, env.renderer, scale)
    groups = apart(patches(canvas_of(env), asked.canvas), max(1, side_by_side(env, drawn=True) // options.best_of))
    for place, group in enumerate(watch(groups, len(groups))):
        tries = [patch for patch in group for _ in range(options.best_of)]
        given = {
            "target": [patch.of(asked.target.pixels) for patch in tries],
            "canvas": [patch.of(whole.pixels) for patch in tries],
        }
        if asked.label is not None:
            given["label"] = asked.label
        easels = PaintVectorEnv(len(tries), env)
        env_seed, generator = seeded(options.seed, number, place)
        paint_rollout(easels, painter, generator, seed=env_seed, options=given, greedy=options.greedy_of(len(group)))
        painted = (
            [patch.on_whole(stroke) for stroke in program.strokes]
            for patch, program in zip(tries, easels.programs(), strict=True)
        )
        for _ in group:
            whole.take_best(itertools.islice(painted, options.best_of))
    pixels = whole.pixels
    checksum = pixel_checksum(pixels) if asked.picture is None else None
    return Program(asked.canvas, whole.strokes, renderer=env.renderer, seed=options.seed, checksum=checksum), pixels
