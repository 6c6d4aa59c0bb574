"""Episodes: what a painter observes while it paints, and what it is rewarded with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from spiral.config import EnvConfig
from spiral.envs.easel import Easel
from spiral.envs.streams import NORMAL_LIMIT, Streams
from spiral.envs.tasks import Tasks
from spiral.errors import InputError
from spiral.program import Program
from spiral.registry import unknown

RESET_OPTIONS = ("canvas", "program", "target", "label")  # in the order they are applied
Observation = dict[str, np.ndarray]
COSTS = {"lift_cost": "lifts", "travel_cost": "travel", "stroke_cost": "lines", "length_cost": "length"}
"""Options that are taken off the reward for each unit of a figure of ``Easel``."""
CONSTANTS = ("noise", "target", "label")  # of an observation: the same at every step of an episode


class Episodes:
    """N episodes in lock-step: they begin together and are over together, after ``episode_length`` actions.

    Args:
        config: checked settings of the environment.
        count: N.
        targets, labels: as of ``Tasks``; every episode draws its own at random.

    Raises:
        InputError: targets or labels do not fit, or reward "l2" without targets.

    Attributes:
        config: the settings, with ``target`` and ``classes`` as the pictures and labels given make them.
        easel: the canvases.
        observation_space: ``Dict`` of one episode's observation.
        done: nothing has begun yet, or the last action of the episodes has been painted.
    """

    def __init__(
        self,
        config: EnvConfig,
        count: int,
        targets: np.ndarray | str | None = None,
        labels: Sequence[int] | None = None,
    ):
        self._tasks = Tasks(config, targets, labels)
        self.config = config = self._tasks.config
        self.easel = Easel(config, count)
        self._streams = Streams(count)
        self._picture_shape = (config.height, config.width, config.channels)
        if config.reward == "l2" and not config.target:
            raise InputError("reward 'l2' compares the canvas with a target: give targets=uint8 [M, H, W, C]")
        self.observation_space = self._observation_space()
        self.done = True
        self._costs = [(each, figure) for cost, figure in COSTS.items() if (each := getattr(config, cost))]
        self._clear([None] * count)

    def begin(self, seeds: Sequence[int | None], options: dict[str, Any] | None = None) -> None:
        """New episodes. What is random in one follows from its seed, noted in its program, and nothing else.

        An episode whose seed is None draws on from where the one before it stopped, as a generator would.

        ``options`` may hold ``canvas`` (a picture to paint on) or ``program`` (a ``Program`` or the path of one, whose
        strokes are drawn first), and ``target`` and ``label`` to be used instead of random ones. Each is one for all
        episodes or one for each: pictures are uint8 [H, W, C] or [N, H, W, C], programs one or a list of N.

        Raises:
            InputError: an unknown option, or one that does not fit this environment.
        """
        self.done = True  # until all of this has gone well
        options = options or {}
        for name in options:
            if name not in RESET_OPTIONS:
                raise InputError(unknown("reset option", name, list(RESET_OPTIONS)))
        if not self._tasks.known and "target" not in options:
            raise InputError(
                "this environment paints given pictures: make it with targets=..., or give one with each "
                "reset(options={'target': ...})"
            )
        self._clear(seeds)
        self._streams.seed(seeds)
        self._draw_random()
        for name in RESET_OPTIONS:
            if name in options:
                getattr(self, f"_begin_with_{name}")(options[name])
        self._loss = self._losses()
        self._first = self.easel.canvases() if self.config.blank_cost else None
        self.done = False

    def step(self, actions: np.ndarray) -> np.ndarray:
        """Paints one action [N, parts] in each episode; returns the rewards float64 [N].

        The reward is 0 or, with ``reward="l2"``, how much the action lowered the mean squared error to the target
        (values in 0..1), so that an episode's return is the fall of the error from its first canvas to its last. Off
        this come the ``COSTS``, with the action that has the stroke painted, and ``blank_cost`` with the last action
        if the canvas shows no more than the first did.

        Raises:
            ResetNeeded: the episodes are over.
            InputError: the actions do not fit the action table.
        """
        if self.done:
            raise ResetNeeded(f"an episode is {self.config.episode_length} actions long; call reset() before step()")
        self.easel.paint(actions)
        self.done = self.easel.step == self.config.episode_length
        loss_before, self._loss = self._loss, self._losses()
        return loss_before - self._loss

    def observation(self) -> Observation:
        """What the painter sees, the arrays of ``observation_space`` with a leading N; all of them copies."""
        easel, config = self.easel, self.config
        observation = {
            "canvas": easel.canvases(),
            "pen": easel.pens,
            "previous": easel.previous.copy(),
            "step": np.full(len(easel), easel.step, np.int64),
        }
        if config.noise_size:
            observation["noise"] = self._noise.copy()
        return observation | {name: values.copy() for name, values in self._task.items()}

    def program(self, index: int) -> Program:
        """What one episode has painted so far."""
        return self.easel.program(index, **self._header(index))

    def programs(self) -> list[Program]:
        """What each of them has painted so far."""
        return self.easel.programs([self._header(index) for index in range(len(self.easel))])

    def _header(self, index: int) -> dict[str, Any]:
        header = {"seed": self._seeds[index], "origin": self._origins[index]}
        if self._over_picture:
            header["checksum"] = None  # no strokes lead to this canvas
        return header

    def _observation_space(self) -> spaces.Dict:
        config = self.config
        picture = spaces.Box(0, 255, self._picture_shape, np.uint8)
        space = {
            "canvas": picture,
            "pen": spaces.Box(0, 1, (2,), np.float32),
            "previous": self.easel.table.space,
            "step": spaces.Discrete(config.episode_length + 1),
        }
        if config.noise_size:
            space["noise"] = spaces.Box(-NORMAL_LIMIT, NORMAL_LIMIT, (config.noise_size,), np.float32)
        if config.target:
            space["target"] = picture
        if config.classes:
            space["label"] = spaces.Discrete(config.classes)
        return spaces.Dict(space)

    def _clear(self, seeds: Sequence[int | None]) -> None:
        self.easel.clear()
        self._seeds = [None if seed is None else int(seed) for seed in seeds]
        self._origins: list[str | None] = [None] * len(self.easel)
        self._over_picture = False

    def _draw_random(self) -> None:
        """Noise, then the task of each episode, from its own stream."""
        if self.config.noise_size:
            self._noise = self._streams.normals(self.config.noise_size)
        self._task = self._tasks.draw(self._streams)

    def _losses(self) -> np.ndarray:
        """What the rewards are the fall of, float64 [N]."""
        config, losses = self.config, np.zeros(len(self.easel))
        for each, figure in self._costs:
            losses += each * getattr(self.easel, figure)
        if config.blank_cost and self.easel.step == config.episode_length:
            losses += config.blank_cost * (self.easel.canvases() == self._first).all(axis=(1, 2, 3))
        return losses + self._squared_errors() if config.reward == "l2" else losses

    def _squared_errors(self) -> np.ndarray:
        difference = (self.easel.pixels.astype(np.float32) - self._task["target"]) / 255
        return np.square(difference).mean(axis=(1, 2, 3), dtype=np.float64)

    # One method for each of RESET_OPTIONS.

    def _begin_with_canvas(self, canvas: np.ndarray) -> None:
        self.easel.cover(self._checked_pictures("canvas", canvas))
        self._over_picture = True
        self._origins = ["painted over a given picture, which is not in this program"] * len(self.easel)

    def _begin_with_program(self, programs: Program | str | os.PathLike | Sequence) -> None:
        programs = list(programs) if isinstance(programs, list | tuple) else [programs] * len(self.easel)
        if len(programs) != len(self.easel):
            raise InputError(f"reset option 'program' has {len(programs)} programs; accepted: 1 or {len(self.easel)}")
        for index, program in enumerate(programs):
            program = program if isinstance(program, Program) else Program.load(program)
            self._check_program(program)
            self.easel.draw(index, program.strokes)
            origin = f"strokes given at the start: {len(program.strokes)}"
            self._origins[index] = "; ".join(filter(None, (self._origins[index], origin)))

    def _begin_with_target(self, target: np.ndarray) -> None:
        if not self.config.target:
            raise InputError(
                "reset option 'target' needs an environment made with targets=uint8 [M, H, W, C], or target=True"
            )
        self._task["target"] = self._checked_pictures("target", target)

    def _begin_with_label(self, label: int | Sequence[int]) -> None:
        if not self.config.classes:
            raise InputError("reset option 'label' needs an environment made with labels=integers [M], or classes=K")
        label, highest = np.asarray(label), self.config.classes - 1
        shapes = ((), (len(self.easel),))
        if label.dtype.kind not in "iu" or label.shape not in shapes or (label < 0).any() or (label > highest).any():
            raise InputError(
                f"reset option 'label' is {label.tolist()}; accepted: an integer from 0 to {highest}, or one for each "
                f"of {len(self.easel)} episodes"
            )
        self._task["label"] = np.broadcast_to(label.astype(np.int64), len(self.easel))

    # What is given from outside is checked once, here.

    def _checked_pictures(self, name: str, pictures: np.ndarray) -> np.ndarray:
        pictures = np.asarray(pictures)
        whole = (len(self.easel), *self._picture_shape)
        if pictures.dtype != np.uint8 or pictures.shape not in (self._picture_shape, whole):
            raise InputError(
                f"reset option {name!r} is {pictures.dtype} {list(pictures.shape)}; accepted: uint8 "
                f"{list(self._picture_shape)}, or one for each episode, {list(whole)}"
            )
        return np.broadcast_to(pictures, whole)

    def _check_program(self, program: Program) -> None:
        spec, ours = program.canvas, self.easel.spec
        if (spec.channels, spec.background) != (ours.channels, ours.background):
            raise InputError(
                f"reset option 'program' was painted on {spec.channels} channels and background {spec.background}; "
                f"this environment has {ours.channels} and {ours.background}"
            )
