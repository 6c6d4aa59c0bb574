"""Environment steps per second: one canvas, Gymnasium's synchronous vector of such, and the native vector environment.

All play the same whole episodes of random actions, each begun by ``reset`` with a seed as in training. *Its rendering
alone* is what the native vector environment draws: the very same curves through ``Canvas.draw_curve`` on as many
cleared canvases. It lacks the checks of actions, their curves' numbers, the noise, and the copies that observations are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import gymnasium as gym
import numpy as np

from spiral.bench.measure import Contest, Options, Result, Watch, expected_seconds, interleaved, ratio
from spiral.config import EnvConfig
from spiral.envs import ENVIRONMENT
from spiral.envs.paint import PaintEnv
from spiral.envs.vector import PaintVectorEnv
from spiral.program import Program, blank_canvas
from spiral.stroke import Stroke

COUNTS = (1, 16, 64, 256)
AIM = 1.15
NATIVE, RENDERING, SYNC = "PaintVectorEnv", "its rendering alone", "SyncVectorEnv"


def contests(options: Options) -> list[Contest]:
    return [_contest(options.run.env, count) for count in (COUNTS[:2] if options.quick else COUNTS)]


def planned(options: Options) -> float:
    return expected_seconds(contests(options), options)


def measure(options: Options, watch: Watch) -> Result:
    result = Result(notes=["Random actions, half of which paint; whole episodes, each begun by reset(seed=...)."])
    for contest in contests(options):
        measured = interleaved(contest, options, watch)
        native, rendering, sync, *_ = measured
        result.measured += measured
        result.figures.append(ratio("CPU of PaintVectorEnv / of its rendering", native, rendering, at_most=AIM))
        result.figures.append(ratio("CPU of SyncVectorEnv / of PaintVectorEnv", sync, native))
    return result


def _contest(env: EnvConfig, count: int) -> Contest:
    native = PaintVectorEnv(count, env)
    rng = np.random.default_rng(0)
    values = native.single_action_space.nvec
    actions = rng.integers(values, size=(env.episode_length, count, len(values)))
    sync = gym.vector.SyncVectorEnv([lambda: PaintEnv(env)] * count)
    play(native, actions)()
    variants = {NATIVE: play(native, actions), RENDERING: draw_alone(native.programs(), env), SYNC: play(sync, actions)}
    if count == 1:
        variants[ENVIRONMENT] = play(gym.make(ENVIRONMENT, config=env), actions[:, 0])
    return Contest(f"{count} canvas{'es' if count > 1 else ''}", "steps", variants)


def play(env: gym.Env | gym.vector.VectorEnv, actions: np.ndarray) -> Callable[[], int]:
    """One episode of these actions on every canvas, from a new seed each time."""
    seeds = itertools.count()

    def episode() -> int:
        env.reset(seed=next(seeds))
        for action in actions:
            env.step(action)
        return len(actions) * getattr(env, "num_envs", 1)

    return episode


def draw_alone(programs: list[Program], env: EnvConfig) -> Callable[[], int]:
    """Cleared canvases and the curves of finished programs on them; counts the steps of their episodes."""
    canvases = [blank_canvas(program) for program in programs]
    curves = [[_curve(stroke) for stroke in program.strokes] for program in programs]

    def draw() -> int:
        for canvas, strokes in zip(canvases, curves, strict=True):
            canvas.clear()
            for curve in strokes:
                canvas.draw_curve(*curve)
        return len(canvases) * env.episode_length

    return draw


def _curve(stroke: Stroke) -> tuple[float, ...]:
    brush = stroke.brush
    ends = (*stroke.start, *stroke.control, *stroke.end)
    return (*ends, brush.width, *brush.pressure, *brush.color, brush.opacity)
