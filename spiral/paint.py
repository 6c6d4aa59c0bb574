"""From a painter to paintings: stroke programs and the canvases they leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spiral import checks
from spiral.config import EnvConfig
from spiral.errors import InputError
from spiral.painters import painter_names
from spiral.program import Program
from spiral.program_folder import save_folder
from spiral.run_folder import find_painter

if TYPE_CHECKING:
    from spiral.agents.painter import Painter  # it imports torch
    from spiral.agents.rollout import Rollout

# Canvases painted side by side. Always this many, so that painting i of a seed is the same however many are asked for.
SIDE_BY_SIDE = 100


class Paintings(NamedTuple):
    """programs and canvases uint8 [N, H, W, C], in the same order."""

    programs: list[Program]
    canvases: np.ndarray


def paint(
    painter: Painter | None,
    env: EnvConfig,
    count: int,
    seed: int = 0,
    greedy: bool = False,
    origin: str | None = None,
    given: Mapping[str, np.ndarray] | None = None,
) -> Paintings:
    """Paint ``count`` pictures.

    Args:
        painter: chooses the actions; None chooses every part of every action uniformly at random.
        env: the environment's settings, those the painter was trained with.
        count: number of paintings.
        seed: the same seed gives the same paintings, byte for byte.
        greedy: the most probable part each time; paintings then differ by their noise only.
        origin: noted in the programs.
        given: options of ``PaintVectorEnv.reset``, an array [count, ...] each: ``target``, ``label``, ``canvas``.
    """
    programs: list[Program] = []
    canvases = []
    for rollout, painted in rollouts(painter, env, count, seed, greedy, given):
        programs += painted
        canvases.append(rollout.finals)
    programs = [dataclasses.replace(program, seed=seed, origin=origin) for program in programs]
    return Paintings(programs[:count], np.concatenate(canvases)[:count])


def rollouts(
    painter: Painter | None,
    env: EnvConfig,
    count: int,
    seed: int = 0,
    greedy: bool = False,
    given: Mapping[str, np.ndarray] | None = None,
) -> Iterator[tuple[Rollout, list[Program]]]:
    """Every step of the paintings that ``paint`` gives for these arguments, and their programs, in parts.

    A part is always ``SIDE_BY_SIDE`` episodes; of the last one, those beyond ``count`` are to be left out.
    """
    import torch

    from spiral.agents.rollout import paint_rollout
    from spiral.envs.vector import PaintVectorEnv

    easels = PaintVectorEnv(SIDE_BY_SIDE, env)
    for part in range(0, count, SIDE_BY_SIDE):
        env_seed, choice_seed = (int(s) for s in np.random.SeedSequence([seed, part]).generate_state(2))
        generator = torch.Generator().manual_seed(choice_seed)
        rows = np.arange(part, part + SIDE_BY_SIDE) % count  # those beyond the last fill the easels
        options = {name: values[rows] for name, values in (given or {}).items()}
        rollout = paint_rollout(easels, painter, generator, seed=env_seed, options=options, greedy=greedy)
        yield rollout, easels.programs()


def paint_to_folder(where: str, output: str, count: int, seed: int = 0, greedy: bool = False) -> str:
    """Paint with a painter on disk; write programs (``000.json``, ...) and a sheet (``sheet.png``) to a folder.

    Args:
        where: a run's folder, a checkpoint's, or a painter file.
        output: the folder; made where it is missing, files of the same names are replaced.
        count, seed, greedy: as of ``paint``.

    Returns:
        A line on what was written.

    Raises:
        InputError: there is no such painter, a number is out of range, or the folder cannot be written.
    """
    checks.integer(count, "-n", 1, 10_000)
    checks.integer(seed, "--seed", 0, 2**32 - 1)
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cannot write paintings to {output}: it is a file; give a folder")
    painter_file = find_painter(where)

    from spiral.agents.painter_file import load_painter

    trained = load_painter(painter_file)
    name = painter_file.stem if where in painter_names() else painter_file.parent.name or painter_file.stem
    origin = f"{name}, {trained.env_steps} steps"
    paintings = paint(trained.painter, trained.run.env, count, seed, greedy, origin)
    return save_folder(paintings.programs, folder, paintings.canvases)
