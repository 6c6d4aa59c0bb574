"""Every setting of a run: frozen dataclasses, named presets in TOML, ``key=value`` overrides.

Values marked *paper* are Ganin et al. 2018 (arXiv 1804.01118), *released code* DeepMind's sampling-only release,
*ours* were chosen by measurement (RESULTS.md).
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import json
import tomllib
import types
import typing
from dataclasses import dataclass, field
from typing import Any

from spiral.errors import InputError
from spiral.registry import unknown

PRESSURE_CONTROLS = ("opacity", "width", "taper")
REWARDS = ("none", "l2")


@dataclass(frozen=True)
class EnvConfig:
    """The canvas, the brush and the length of a painting.

    Defaults are the paper's where it gives them (section 4.2): 64x64, a 32x32 grid, 20 strokes.
    """

    width: int = 64  # pixels, 16..1024
    height: int = 64
    channels: int = 1  # 1 grey, 3 RGB
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)  # r, g, b in 0..1
    ink: tuple[float, float, float] = (0.0, 0.0, 0.0)  # colour of every stroke where there are no colour parts (grey canvas)
    renderer: str = "cairo"
    grid: int = 32  # K: `end` and `control` choose one of K x K cells; 2..64
    episode_length: int = 20  # actions in one painting, 1..1000
    # Brush diameters as fractions of the canvas's shorter side; released code: 1..24 px at 64 px.
    sizes: tuple[float, ...] = (1 / 64, 2 / 64, 4 / 64, 8 / 64, 12 / 64, 24 / 64)
    pressures: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # released code: ten levels
    pressure_controls: str = "taper"  # what pressure changes: opacity, width, or width along the stroke (taper)
    color_levels: int = 20  # paper: levels of red, green and blue each
    noise_size: int = 10  # standard normals drawn once an episode; released code: 10; 0 leaves `noise` out
    start: tuple[float, float] = (0.0, 0.0)  # where the pen is at first, canvas fractions; paper: top-left corner
    reward: str = "none"  # "l2": decrease of the squared error to `target` at each step


NETWORKS = ("quick", "spiral")
REWARD_TIMES = ("final", "difference")


@dataclass(frozen=True)
class PainterConfig:
    """The policy network."""

    network: str = "quick"  # "quick": small and feed-forward (ours); "spiral": the released agent's
    hidden: int = 128  # width of the state the action heads read; released code: 256
    channels: tuple[int, ...] = (16, 32)  # of the two convolutions of "quick"; ours
    location_embedding: int = 64  # learned features of a grid cell, beside its coordinates ("quick"); ours
    lstm: int = 0  # units of the recurrent core, 0 for none; released code: 256. Not needed at 6 actions (ours)


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The discriminator, its optimiser and the process it trains in."""

    channels: tuple[int, ...] = (16, 32, 64)  # of the stride-2 convolutions; more are added on larger canvases; ours
    learning_rate: float = 3e-4  # Adam; paper: 1e-4
    betas: tuple[float, float] = (0.5, 0.9)  # Adam; paper: (0.5, 0.999)
    batch_size: int = 64  # real and as many generated canvases; paper: 64
    updates: int = 6  # optimiser steps for each rollout of finished canvases; ours
    buffer_size: int = 5120  # finished canvases in the image buffer; paper: 20 batches
    max_lag: int = 1  # rollouts by which the scoring weights trail the newest canvases: 0 waits, 1 overlaps
    remote: bool = True  # own Ray process, in parallel; False trains inside the learner, bit for bit the same
    num_cpus: float = 1.0  # what the Ray process reserves
    num_gpus: float = 0.0


@dataclass(frozen=True)
class ObjectiveConfig:
    """What turns canvases into rewards."""

    name: str = "wasserstein"  # paper: Wasserstein score with gradient penalty
    gradient_penalty: float = 10.0  # weight; the paper does not give it, Gulrajani et al. 2017 use 10
    drift: float = 1e-3  # weight of mean(score(real)^2), which holds the score's free constant near 0
    reward: str = "final"  # "final": the last canvas's score; "difference": score gained at each step (SPIRAL++)


@dataclass(frozen=True)
class LearnerConfig:
    """V-trace and the optimiser of the painter. Values are ours; the paper leaves them to population-based training."""

    learning_rate: float = 4e-4  # Adam
    final_learning_rate: float = 0.05  # fraction of it at the end of the run, reached linearly
    entropy: float = 0.08  # weight of the entropy bonus; 0.02 collapses
    final_entropy: float = 0.125  # fraction of it at the end of the run, reached linearly
    value: float = 0.5  # weight of the value loss (Huber)
    discount: float = 1.0  # paper: 1
    trace: float = 0.95  # lambda of V-trace
    rho_clip: float = 1.0  # IMPALA: both 1
    c_clip: float = 1.0
    gradient_clip: float = 1.0  # global norm
    minibatch: int = 64  # episodes in one optimiser step
    average: float = 0.99  # decay per rollout of the averaged weights that paint and are shipped


@dataclass(frozen=True)
class RunConfig:
    """One training run: the parts above, the pictures, the processes and the budget."""

    description: str = ""
    data: str = "digits"  # a registered dataset, a folder of pictures, or an .npz file
    seed: int = 0
    env_steps: int | None = None  # the run ends after so many, or
    minutes: float | None = 10.0  # after so much wall time, whichever comes first
    num_env_runners: int = 1  # Ray processes that paint; 0 paints inside the main process
    num_envs: int = 256  # canvases each of them paints in lock-step
    num_learners: int = 0  # 0 learns inside the main process
    num_gpus_per_learner: float = 0.0
    evaluate_minutes: float = 1.0  # between two evaluations, sample sheets and checkpoints
    evaluate_samples: int = 1000
    env: EnvConfig = field(default_factory=EnvConfig)
    painter: PainterConfig = field(default_factory=PainterConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    learner: LearnerConfig = field(default_factory=LearnerConfig)
