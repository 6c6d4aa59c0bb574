"""``spiral/Paint-v0``: one painter, one canvas, as a Gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from spiral.config import EnvConfig
from spiral.envs.episodes import Episodes, Observation
from spiral.envs.options import env_config
from spiral.envs.window import Window
from spiral.errors import InputError
from spiral.program import Program
from spiral.registry import unknown


class PaintEnv(gym.Env):
    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}

    def __init__(
        self,
        config: EnvConfig | None = None,
        *,
        targets: np.ndarray | None = None,
        labels: np.ndarray | None = None,
        render_mode: str | None = None,
        **options: Any,
    ):
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise InputError(unknown("render mode", render_mode, self.metadata["render_modes"]))
        self.config = env_config(config, options)
        self.render_mode = render_mode
        self._episodes = Episodes(self.config, 1, targets, labels)
        self._window = Window(self.metadata["render_fps"]) if render_mode == "human" else None
        self.action_space = self._episodes.easel.table.space
        self.observation_space = self._episodes.observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        self._episodes.begin([self.np_random], [seed], options)
        self._show()
        return self._observation(), {}

    def step(self, action: np.ndarray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        reward = self._episodes.step(np.asarray(action)[np.newaxis])
        self._show()
        done = self._episodes.done
        return self._observation(), float(reward[0]), done, False, {"program": self.program()} if done else {}

    def program(self) -> Program:
        """What this episode has painted so far; at the training size it replays byte for byte to the canvas."""
        return self._episodes.program(0)

    def render(self) -> np.ndarray | None:
        """uint8 [H, W, 3] with ``render_mode="rgb_array"``."""
        if self.render_mode == "rgb_array":
            return rgb(self._episodes.easel.canvases())[0]
        return None

    def close(self) -> None:
        if self._window:
            self._window.close()

    def _observation(self) -> Observation:
        return {name: values[0] for name, values in self._episodes.observation().items()}

    def _show(self) -> None:
        if self._window:
            self._window.show(rgb(self._episodes.easel.canvases())[0])


def rgb(canvases: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3] from [N, H, W, 1 or 3]."""
    return np.broadcast_to(canvases, (*canvases.shape[:3], 3))
