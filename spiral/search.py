"""Greedy search: the yardstick for painters of given pictures, which has the same actions and learns nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spiral import checks
from spiral.config import EnvConfig
from spiral.errors import InputError
from spiral.metrics import squared_errors
from spiral.program import Program
from spiral.progress import Watch, unwatched

MAX_CANDIDATES = 10_000  # they all have a canvas: 160 MB of 64x64


class Found(NamedTuple):
    """programs, canvases uint8 [N, H, W, C] and, after each action, squared errors float64 [N, T], in one order."""

    programs: list[Program]
    canvases: np.ndarray
    errors: np.ndarray


def search(
    env: EnvConfig,
    pictures: np.ndarray,
    candidates: int,
    seed: int = 0,
    watch: Watch = unwatched,
    scale: int = 1,
) -> Found:
    """Paint given pictures action by action, each the best of some drawn uniformly at random.

    The best is the one that leaves the lowest squared error to the picture, the first of equals; nothing else counts,
    no cost of pen lifts either. Candidates that only move the pen, about half of them, leave the error as it is: where
    no stroke is worth its ink the pen is put elsewhere for the next action, and that costs an action, as it costs a
    painter. So the error rises only where all candidates paint, which is likely with very few of them. Of compound
    strokes it finds the straight ones: there is nothing to choose by until a stroke ends.

    Args:
        env: the environment's settings: the actions, how many of them, and the canvas.
        pictures: uint8 [N, H, W, C] of the canvas's size.
        candidates: how many actions are tried for each that is taken, 1 to 10000.
        seed: the same one gives the same paintings, and each picture the same however many are given.
        watch: shown the pictures as they are painted.
        scale: of the squared error, see ``spiral.metrics.squared_error``.

    Raises:
        InputError: pictures of another size or type, or a number out of range.
    """
    from spiral.envs.easel import Easel

    checks.integer(candidates, "candidates", 1, MAX_CANDIDATES)
    shape = (env.height, env.width, env.channels)
    if pictures.dtype != np.uint8 or pictures.shape[1:] != shape or not len(pictures):
        raise InputError(
            f"pictures are {pictures.dtype} {list(pictures.shape)}; accepted: uint8 [N, "
            f"{', '.join(map(str, shape))}], N at least 1, the size of the canvas"
        )
    easel = Easel(env, candidates)
    programs, canvases = [], np.empty_like(pictures)
    errors = np.empty((len(pictures), env.episode_length))
    for number in watch(range(len(pictures)), len(pictures)):
        chance = np.random.default_rng([seed, number])
        easel.clear()
        for step in range(env.episode_length):
            easel.paint(chance.integers(0, easel.table.nvec, (candidates, len(easel.table.nvec))))
            tried = squared_errors(easel.canvases(), pictures[number], scale)
            best = tried.argmin()
            errors[number, step] = tried[best]
            easel.continue_from(best)
        canvases[number] = easel.canvases()[0]
        programs.append(easel.program(0, seed=seed, origin=f"greedy search, the best of {candidates} for each action"))
    return Found(programs, canvases, errors)
