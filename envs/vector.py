"""``spiral/Paint-v0`` as a vector environment: N canvases painted in lock-step in one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from spiral import checks
from spiral.config import EnvConfig
from spiral.envs.episodes import Episodes, Observation
from spiral.envs.options import env_config
from spiral.envs.paint import PaintEnv, check_render_mode, rgb
from spiral.errors import InputError
from spiral.program import MAX_SEED, Program

MAX_ENVS = 2**20
Infos = dict[str, Any]


class PaintVectorEnv(VectorEnv):
    """N episodes of ``PaintEnv`` that begin and end together.

    All N are over with the same ``step``; the next one resets them, ignores its actions and gives rewards of 0
    (Gymnasium's ``AutoresetMode.NEXT_STEP``). After ``reset(seed=s)`` episode i is the one that
    ``PaintEnv.reset(seed=s + i)`` begins: same noise, same target, and with the same actions the same canvas bytes.

    Args:
        num_envs: N.
        config, targets, labels, options: as for ``PaintEnv``; all N share the targets.
        render_mode: ``"rgb_array"`` or None.

    Raises:
        InputError: an option, targets or labels that are not accepted.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["rgb_array"],
        "render_fps": PaintEnv.metadata["render_fps"],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        config: EnvConfig | None = None,
        *,
        targets: np.ndarray | str | None = None,
        labels: Sequence[int] | None = None,
        render_mode: str | None = None,
        **options: Any,
    ):
        self.num_envs = checks.integer(num_envs, "num_envs", 1, MAX_ENVS)
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.config = env_config(config, options)
        self.render_mode = render_mode
        self._episodes = Episodes(self.config, num_envs, targets, labels)
        self.config = self._episodes.config
        self.single_action_space = self._episodes.easel.table.space
        self.single_observation_space = self._episodes.observation_space
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Infos]:
        """New episodes; ``seed`` is one integer (episode i gets ``seed + i``) or N of them.

        ``options`` as for ``PaintEnv.reset``, each value one for all episodes or one for each.
        """
        self._episodes.begin(self._seeds(seed), options)
        return self._episodes.observation(), {}

    def step(self, actions: np.ndarray) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Infos]:
        """One action [N, parts] in each episode, or new episodes where none is under way."""
        if self._episodes.done:
            self._episodes.begin(self._seeds(None))
            rewards = np.zeros(self.num_envs)
        else:
            rewards = self._episodes.step(actions)
        terminations = np.full(self.num_envs, self._episodes.done)
        return self._episodes.observation(), rewards, terminations, np.zeros(self.num_envs, bool), {}

    def canvases(self) -> np.ndarray:
        """uint8 [N, H, W, C], a copy of the canvases as they are now."""
        return self._episodes.easel.canvases()

    def programs(self) -> list[Program]:
        """What the current (or just finished) episodes have painted so far."""
        return self._episodes.programs()

    def render(self) -> tuple[np.ndarray, ...] | None:
        """N pictures uint8 [H, W, 3] with ``render_mode="rgb_array"``."""
        return tuple(rgb(self.canvases())) if self.render_mode == "rgb_array" else None

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int | np.integer):
            first = checks.integer(seed, "seed", 0, MAX_SEED - self.num_envs)
            return list(range(first, first + self.num_envs))
        if len(seed) != self.num_envs:
            raise InputError(f"seed has {len(seed)} values; accepted: an integer, or one for each of {self.num_envs}")
        return [None if one is None else checks.integer(one, "seed", 0, MAX_SEED) for one in seed]
