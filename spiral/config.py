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
from dataclasses import dataclass, field
from typing import Any

from spiral import settings
from spiral.errors import InputError
from spiral.registry import unknown

PRESSURE_CONTROLS = ("opacity", "width", "taper")
REWARDS = ("none", "l2")
STROKES = ("simple", "compound")


@dataclass(frozen=True)
class EnvConfig:
    """The canvas, the brush and the length of a painting.

    Defaults are the paper's where it gives them (section 4.2): 64x64, a 32x32 grid, 20 strokes.
    """

    width: int = 64  # pixels, 16..1024
    height: int = 64
    channels: int = 1  # 1 grey, 3 RGB
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)  # r, g, b in 0..1
    # Colour of every stroke where there are no colour parts (grey canvas without a palette).
    ink: tuple[float, float, float] = (0.0, 0.0, 0.0)
    # Colours of the pens at hand, each (r, g, b) in 0..1: one part `color` chooses a pen, in place of `red`, `green` and
    # `blue`; None: no palette.
    palette: tuple[tuple[float, float, float], ...] | None = None
    renderer: str = "cairo"  # "cairo@4" draws 4 times larger and averages down, as SPIRAL++ does; 2..16
    grid: int = 32  # K: `end` and `control` choose one of K x K cells; 2..64
    episode_length: int = 20  # actions in one painting, 1..1000
    # An action is a stroke, "simple", or a control point of one, a spline, "compound" (SPIRAL++).
    strokes: str = "simple"
    # Brush diameters as fractions of the canvas's shorter side; released code: 1..24 px at 64 px.
    sizes: tuple[float, ...] = (1 / 64, 2 / 64, 4 / 64, 8 / 64, 12 / 64, 24 / 64)
    pressures: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # released code: ten levels
    pressure_controls: str = "taper"  # what pressure changes: opacity, width, or width along the stroke (taper)
    color_levels: int = 20  # paper: levels of red, green and blue each
    noise_size: int = 10  # standard normals drawn once an episode; released code: 10; 0 leaves `noise` out
    start: tuple[float, float] = (0.0, 0.0)  # where the pen is at first, canvas fractions; paper: top-left corner
    reward: str = "none"  # "l2": decrease of the squared error to `target` at each step
    target: bool = False  # every episode has a picture to paint, which the painter sees beside its canvas
    classes: int = 0  # every episode has a label, 0..classes - 1, of what to paint; 0: none has
    # For programs that a plotter draws as they are; the costs are taken off the reward.
    picture_mm: float = 100.0  # length of the canvas's shorter side on paper, the scale of all that is in mm
    minimum_mm: float = 0.0  # an action whose stroke is shorter leaves no ink and only moves the pen
    lift_cost: float = 0.0  # for each pen lift between two strokes
    travel_cost: float = 0.0  # for each mm from a stroke's end to the next one's start
    # Penalties of the papers, taken off the reward too; their values are not published.
    stroke_cost: float = 0.0  # for each line begun, one or more strokes without a lift between (SPIRAL, section 4.3)
    length_cost: float = 0.0  # for each shorter side of the canvas that strokes are long (SPIRAL++)
    blank_cost: float = 0.0  # once, for an episode that leaves no trace on its canvas (SPIRAL, section 4.3)

    @property
    def picture(self) -> dict[str, Any]:
        """What real pictures must be to lie beside painted ones, as arguments of ``load_pictures``."""
        return {name: getattr(self, name) for name in ("width", "height", "channels", "background")}


NETWORKS = ("quick", "spiral")
REWARD_TIMES = ("final", "difference")
CONDITIONS = ("pair", "complement")
MASKS = ("halves", "random")


@dataclass(frozen=True)
class PainterConfig:
    """The policy network."""

    network: str = "quick"  # "quick": small and feed-forward (ours); "spiral": the released agent's
    hidden: int = 128  # width of the state the action heads read; released code: 256
    channels: tuple[int, int] = (16, 32)  # of the two convolutions of "quick"; ours
    location_embedding: int = 64  # learned features of a grid cell, beside its coordinates ("quick"); ours
    # Channels of the maps by which locations are also chosen for what is seen there ("quick"), 0 for none; ours: pays
    # where there is a target.
    pointer: int = 0
    lstm: int = 0  # units of the recurrent core, 0 for none; released code: 256. Not needed at 6 actions (ours)
    blind: bool = False  # does not see its canvas (SPIRAL, section 4.3)


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The discriminator, its optimiser and the process it trains in."""

    channels: tuple[int, ...] = (16, 32, 64)  # of the stride-2 convolutions; more are added on larger canvases; ours
    learning_rate: float = 3e-4  # Adam; paper: 1e-4
    betas: tuple[float, float] = (0.5, 0.9)  # Adam; paper: (0.5, 0.999)
    batch_size: int = 64  # real and as many generated canvases; paper: 64
    updates: int = 6  # optimiser steps for each rollout of finished canvases; ours
    buffer_size: int = 5120  # finished canvases in the image buffer; paper: 20 batches
    # How it sees a target: whole beside the canvas, "pair" (SPIRAL, section 3.3), or only what a mask hides of the
    # canvas, "complement" (SPIRAL++, section 3.4), by masks that are "halves" or "random" blocks.
    condition: str = "pair"
    masks: str = "halves"
    max_lag: int = 1  # rollouts by which the scoring weights trail the newest canvases: 0 waits, 1 overlaps
    remote: bool = True  # own Ray process, in parallel; False trains inside the learner, bit for bit the same
    num_cpus: float = 1.0  # what the Ray process reserves
    num_gpus: float = 0.0
    # Name of the one discriminator that the members of a population share (SPIRAL++), which learns from the newest
    # canvases of all, without an image buffer; empty: a run has its own.
    shared: str = ""


@dataclass(frozen=True)
class ObjectiveConfig:
    """What turns canvases into rewards."""

    name: str = "wasserstein"  # paper: Wasserstein score with gradient penalty
    gradient_penalty: float = 10.0  # weight; the paper does not give it, Gulrajani et al. 2017 use 10
    penalty_share: float = 1.0  # share of the batch it is measured on: it costs as much as the rest
    drift: float = 1e-3  # weight of mean(score(real)^2), which holds the score's free constant near 0
    spread_floor: float = 0.25  # least unit of reward, as a share of the gap between real and painted scores; ours
    reward: str = "final"  # "final": the last canvas's score; "difference": score gained at each step (SPIRAL++)
    label_weight: float = 1.0  # of log p(label | canvas), by the discriminator's classifier, in the score
    # For "l2": the squared error is that of pictures averaged over blocks of so many pixels, k^2 times for blocks of k,
    # and the mean over these scales.
    scales: tuple[int, ...] = (1,)

    @property
    def finest(self) -> int:
        """What is finer than blocks of so many pixels is not compared with given pictures."""
        return min(self.scales)


@dataclass(frozen=True)
class LearnerConfig:
    """V-trace and the optimiser of the painter. Values are ours; the paper leaves them to population-based training."""

    learning_rate: float = 4e-4  # Adam
    warmup_steps: int = 0  # environment steps in which the rate rises from 0: what judges paintings learns first
    final_learning_rate: float = 0.05  # fraction of it at the end of the run, reached linearly
    entropy: float = 0.08  # weight of the entropy bonus; 0.02 collapses
    final_entropy: float = 0.125  # fraction of it at the end of the run, reached linearly
    # Times as much for the part `flag`: while strokes do more harm than good, a painter may learn to lift for ever.
    flag_entropy: float = 1.0
    # And for the parts of the colour: a painter may settle on one, the pictures' mean, before it has learned to look.
    color_entropy: float = 1.0
    value: float = 0.5  # weight of the value loss (Huber)
    discount: float = 1.0  # paper: 1
    trace: float = 0.95  # lambda of V-trace
    rho_clip: float = 1.0  # IMPALA: both 1
    c_clip: float = 1.0
    gradient_clip: float = 1.0  # global norm
    minibatch: int = 64  # episodes in one optimiser step
    # Passes over each rollout. With more than one the policy's loss is clipped: nothing is gained by making an action
    # more than 1 + policy_clip times as probable as it was when it was chosen, or less than 1 - policy_clip times (PPO).
    passes: int = 1
    policy_clip: float = 0.2
    average: float = 0.99  # decay per rollout of the averaged weights that paint and are shipped


@dataclass(frozen=True)
class RunConfig:
    """One training run: the parts above, the pictures, the processes and the budget."""

    description: str = ""
    data: str = "digits"  # a registered dataset, or a path: `spiral list datasets`
    seed: int = 0
    # The run ends when the first of these is over.
    env_steps: int | None = None
    minutes: float | None = 10.0  # wall time
    cpu_seconds: float | None = None  # of all its processes on this machine: a busy machine makes it longer, not worse
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

    @property
    def scoring(self) -> Scoring:
        return Scoring(self.discriminator, self.objective, self.env, self.data, self.seed)


@dataclass(frozen=True)
class Scoring:
    """Of a run, all that canvases are scored by: every process that scores them, or learns to, gets it whole."""

    discriminator: DiscriminatorConfig
    objective: ObjectiveConfig
    env: EnvConfig
    data: str  # the real pictures
    seed: int


# -- reading and writing ----------------------------------------------------------------------------------------------

# Accepted range of each number outside `env`, whose own module checks it (it knows canvases and renderers).
LIMITS: dict[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "env_steps": (1, 1e15),
    "minutes": (0.01, 1e6),
    "cpu_seconds": (1, 1e9),
    "num_env_runners": (0, 100_000),
    "num_envs": (1, 65_536),
    "num_learners": (0, 1000),
    "num_gpus_per_learner": (0, 16),
    "evaluate_minutes": (0.01, 1e6),
    "evaluate_samples": (10, 100_000),
    "painter.hidden": (16, 8192),
    "painter.channels": (1, 1024),
    "painter.location_embedding": (1, 1024),
    "painter.pointer": (0, 1024),
    "painter.lstm": (0, 8192),
    "discriminator.channels": (1, 4096),
    "discriminator.learning_rate": (0, 1),
    "discriminator.betas": (0, 0.9999),
    "discriminator.batch_size": (2, 65_536),
    "discriminator.updates": (0, 1000),
    "discriminator.buffer_size": (1, 10_000_000),
    "discriminator.max_lag": (0, 64),
    "discriminator.num_cpus": (0, 256),
    "discriminator.num_gpus": (0, 16),
    "objective.gradient_penalty": (0, 1e6),
    "objective.penalty_share": (0, 1),
    "objective.drift": (0, 1e6),
    "objective.spread_floor": (0, 100),
    "objective.label_weight": (0, 1000),
    "objective.scales": (1, 64),
    "learner.learning_rate": (0, 1),
    "learner.warmup_steps": (0, 1e12),
    "learner.final_learning_rate": (0, 1),
    "learner.entropy": (0, 100),
    "learner.final_entropy": (0, 1),
    "learner.flag_entropy": (0, 1000),
    "learner.color_entropy": (0, 1000),
    "learner.value": (0, 100),
    "learner.discount": (0, 1),
    "learner.trace": (0, 1),
    "learner.rho_clip": (0, 1000),
    "learner.c_clip": (0, 1000),
    "learner.gradient_clip": (1e-6, 1e6),
    "learner.minibatch": (1, 65_536),
    "learner.passes": (1, 100),
    "learner.policy_clip": (0, 1),
    "learner.average": (0, 1),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "painter.network": NETWORKS,
    "discriminator.condition": CONDITIONS,
    "discriminator.masks": MASKS,
    "objective.reward": REWARD_TIMES,
}
RULES = settings.Rules(LIMITS, CHOICES)


def preset_names() -> list[str]:
    """The named settings that come with the package."""
    folder = importlib.resources.files("spiral.presets")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def preset_description(name: str) -> str:
    """One line on what the preset is for."""
    return preset(name).description


def preset_text(name: str) -> str:
    """The file of a preset.

    Raises:
        InputError: no such preset.
    """
    if name not in preset_names():
        raise InputError(unknown("preset", name, preset_names()))
    return importlib.resources.files("spiral.presets").joinpath(f"{name}.toml").read_text(encoding="utf-8")


@functools.cache
def preset(name: str) -> RunConfig:
    """The settings of this name. A preset file may name another as its ``base`` and say only what differs.

    Raises:
        InputError: no such preset.
    """
    values = tomllib.loads(preset_text(name))
    base = values.pop("base", None)
    return updated(preset(base) if base else RunConfig(), values)


def override(run: RunConfig, assignments: list[str]) -> RunConfig:
    """``run`` with ``key=value`` assignments applied; keys are dotted (``learner.entropy=0.05``), values as in TOML.

    Raises:
        InputError: no such key, or a value it does not accept.
    """
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(f"cannot read the setting {assignment!r}; write key=value, such as learner.entropy=0.05")
        *groups, name = key.strip().split(".")
        value: Any = {name: _parsed(text.strip())}
        for group in reversed(groups):
            value = {group: value}
        run = updated(run, value)
    return run


def _parsed(text: str) -> Any:
    if text.lower() == "none":  # TOML has no word for it
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # a bare word is a string


def to_dict(run: RunConfig) -> dict[str, Any]:
    """Plain values, as JSON holds them."""
    return json.loads(json.dumps(dataclasses.asdict(run)))


def from_dict(values: dict[str, Any]) -> RunConfig:
    """The run whose ``to_dict`` this is; what is missing has its default.

    Raises:
        InputError: an unknown key, or a value of the wrong type or range.
    """
    return updated(RunConfig(), values)


def updated(config: Any, values: dict[str, Any]) -> Any:
    """The settings of a run, or one group of them, with some fields replaced, nested ones by nested dicts.

    Raises:
        InputError: an unknown key, or a value of the wrong type or range; the message names the key.
    """
    return settings.updated(config, values, RULES)
