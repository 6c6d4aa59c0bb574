"""The runner: an RLlib env runner that paints N canvases in lock-step and returns whole paintings."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

import spiral.envs  # noqa: F401  registers spiral/Paint-v0 in this process
from spiral.agents.rollout import Rollout, paint_rollout
from spiral.freed_memory import keep_freed_memory


class CanvasEnvRunner(SingleAgentEnvRunner):
    """RLlib's runner with another way to sample: one forward pass a step for all canvases, dense rollouts out.

    Weights, metrics, restarts and spaces stay RLlib's. Not on this path: RLlib's episodes, per-episode callbacks and
    env-to-module connectors.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        keep_freed_memory()
        super().__init__(*args, **kwargs)

    def _sample(
        self,
        *,
        num_timesteps: int | None = None,
        num_episodes: int | None = None,
        explore: bool,
        random_actions: bool = False,
        force_reset: bool = False,
    ) -> list[Rollout]:
        """Whole rollouts of all canvases, at least as many steps or episodes as asked for; always from a reset."""
        length = self.env.unwrapped.config.episode_length
        episodes = num_episodes if num_timesteps is None else num_timesteps / length
        return [self._rollout(explore, random_actions) for _ in range(math.ceil(episodes / self.num_envs))]

    def _rollout(self, explore: bool, random_actions: bool) -> Rollout:
        began = time.perf_counter()
        env_seed, choice_seed = self._next_seeds()
        rollout = paint_rollout(
            self.env.unwrapped,
            None if random_actions else self.module.painter,
            torch.Generator("cpu" if random_actions else self._device).manual_seed(choice_seed),
            seed=env_seed,
            greedy=not explore,
            device=self._device,
            weights_seq_no=self._weights_seq_no,
        )
        self._increase_sampled_metrics(len(rollout), self.num_envs)
        self._log_episode_metrics(
            rollout.actions.shape[1], float(rollout.rewards.sum(axis=1).mean()), time.perf_counter() - began
        )
        return rollout

    def _next_seeds(self) -> tuple[int, int]:
        """Seeds of the next rollout's noise and choices, from (run's seed, this runner, rollout number) alone.

        Counting begins at the number of the weights first painted with. So a runner that is restarted, or resumed from
        a checkpoint, needs no saved random state: it goes on with new random numbers (where there are more learners than
        runners some were drawn before, for other weights), and inside one process with exactly those an uninterrupted
        run would have drawn.
        """
        if not hasattr(self, "_rollouts"):
            self._rollouts = self._weights_seq_no
        seed = self.config.seed if self.config.seed is not None else int.from_bytes(np.random.bytes(4))
        sequence = np.random.SeedSequence([seed, self.worker_index or 0, self._rollouts, self.config.in_evaluation])
        self._rollouts += 1
        env_seed, choice_seed = sequence.generate_state(2)
        return int(env_seed), int(choice_seed)
