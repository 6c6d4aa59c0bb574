"""From a painter to paintings: stroke programs and the canvases they leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spiral.config import EnvConfig
from spiral.program import Program

if TYPE_CHECKING:
    import torch

    from spiral.agents.painter import Painter  # it imports torch
    from spiral.agents.rollout import Rollout

SIDE_BY_SIDE = 100
MOST_SIDE_BY_SIDE = 250
FEW_VALUES = 2**18  # of all canvases side by side; with more of them than that, more canvases save little
STEP_BYTES = 2**28  # of all their canvases after every action, which are kept until the last


class Paintings(NamedTuple):
    """programs and canvases uint8 [N, H, W, C], in the same order."""

    programs: list[Program]
    canvases: np.ndarray


def paint(
    painter: Painter | None,
    env: EnvConfig,
    count: int,
    seed: int = 0,
    greedy: bool | Sequence[bool] = False,
    origin: str | None = None,
    given: Mapping[str, Sequence] | None = None,
) -> Paintings:
    """Paint ``count`` pictures.

    Args:
        painter: chooses the actions; None chooses every part of every action uniformly at random.
        env: the environment's settings, those the painter was trained with.
        count: number of paintings.
        seed: the same seed gives the same paintings, byte for byte.
        greedy: the most probable part each time; paintings then differ by their noise only. May be ``count`` values.
        origin: noted in the programs.
        given: options of ``PaintVectorEnv.reset``, ``count`` values each: ``target``, ``label``, ``canvas``, ``program``.
    """
    programs: list[Program] = []
    canvases = []
    for rollout, painted in rollouts(painter, env, count, seed, greedy, given):
        programs += painted
        canvases.append(rollout.finals)
    programs = [dataclasses.replace(program, seed=seed, origin=origin) for program in programs[:count]]
    return Paintings(programs, np.concatenate(canvases)[:count])


def rollouts(
    painter: Painter | None,
    env: EnvConfig,
    count: int,
    seed: int = 0,
    greedy: bool | Sequence[bool] = False,
    given: Mapping[str, Sequence] | None = None,
) -> Iterator[tuple[Rollout, list[Program]]]:
    """Every step of the paintings that ``paint`` gives for these arguments, and their programs, in parts.

    Parts of an environment have always as many episodes; of the last one, those beyond ``count`` are to be left out.
    """
    from spiral.agents.rollout import paint_rollout
    from spiral.envs.vector import PaintVectorEnv

    together = side_by_side(env, drawn=painter is None or greedy is not True)
    easels = PaintVectorEnv(together, env)
    for part in range(0, count, together):
        rows = np.arange(part, part + together) % count  # those beyond the last fill the easels
        options = {name: [values[row] for row in rows] for name, values in (given or {}).items()}
        env_seed, generator = seeded(seed, part)
        greedily = greedy if isinstance(greedy, bool) else [greedy[row] for row in rows]
        rollout = paint_rollout(easels, painter, generator, seed=env_seed, options=options, greedy=greedily)
        yield rollout, easels.programs()


def side_by_side(env: EnvConfig, drawn: bool) -> int:
    """Episodes painted together.

    They do not depend on how many are asked for, so that painting i of a seed is always the same. Random numbers are
    drawn for all together: where there are any, in the noise or because actions are ``drawn``, more side by side would be
    other paintings. Where there are none, small canvases are more: a third of torch's time is its calls'.
    """
    canvas = env.height * env.width * env.channels
    most = SIDE_BY_SIDE
    if not drawn and not env.noise_size:
        most = max(most, min(MOST_SIDE_BY_SIDE, FEW_VALUES // canvas))
    return max(1, min(most, STEP_BYTES // (env.episode_length * canvas)))


def seeded(*numbers: int) -> tuple[int, torch.Generator]:
    """A seed of episodes and a generator of choices in them, which follow from these numbers and from nothing else."""
    import torch

    env_seed, choice_seed = (int(s) for s in np.random.SeedSequence(numbers).generate_state(2))
    return env_seed, torch.Generator().manual_seed(choice_seed)
