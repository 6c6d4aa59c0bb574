"""A rollout: a batch of whole paintings, what a runner sends to the learner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rollout:
    """N whole episodes of T actions as dense arrays; episodes first, because RLlib cuts batches along the first axis.

    RLlib passes it unopened from the runner to the learner in place of a list of episodes: it is a dataclass, which
    RLlib's tree functions take as a leaf, and answers the few questions RLlib asks of an episode.

    Attributes:
        observations: name -> [N, T, ...], what the painter saw before each action; canvases uint8 [N, T, H, W, C].
        constants: name -> [N, ...], the rest of what it saw, the same at every step: noise, target, label.
        actions: int16 [N, T, parts].
        log_probs: float32 [N, T], log-probability of each action under the weights that chose it; 0 where none did.
        rewards: float32 [N, T], the environment's own.
        finals: uint8 [N, H, W, C], the finished canvases.
        weights_seq_no: number of learner updates in the weights that painted.
    """

    observations: dict[str, np.ndarray]
    constants: dict[str, np.ndarray]
    actions: np.ndarray
    log_probs: np.ndarray
    rewards: np.ndarray
    finals: np.ndarray
    weights_seq_no: int

    def __len__(self) -> int:
        return self.log_probs.size

    def env_steps(self) -> int:
        """Environment steps, N * T."""
        return len(self)

    agent_steps = env_steps

    @property
    def task(self) -> dict[str, np.ndarray]:
        """What was asked for: ``target`` uint8 [N, H, W, C] and ``label`` int64 [N], where the environment has them."""
        return {name: self.constants[name] for name in ("target", "label") if name in self.constants}


def paint_rollout(
    env, painter, generator, *, seed=None, options=None, greedy=False, device="cpu", weights_seq_no=0
) -> Rollout:
    """Paint one episode on every canvas of a ``PaintVectorEnv`` and record it.

    Args:
        env: the canvases.
        painter: ``Painter`` that chooses the actions; None chooses every part uniformly at random.
        generator: ``torch.Generator`` on ``device`` for the choices.
        seed: of the environment's noise; None goes on with its generators.
        options: of ``PaintVectorEnv.reset``.
        greedy: take the most probable part each time instead of a sample; may be bool [N], one for each episode.
        device: of the painter.
        weights_seq_no: noted in the rollout.
    """
    import torch

    from spiral.agents.heads import joint_log_prob
    from spiral.denormals import denormals_as_zero
    from spiral.envs.episodes import CONSTANTS

    episodes, length = env.num_envs, env.config.episode_length
    observation, _ = env.reset(seed=seed, options=options)
    constants = {name: observation[name] for name in CONSTANTS if name in observation}
    observations = {
        name: np.empty((episodes, length, *x.shape[1:]), x.dtype)
        for name, x in observation.items()
        if name not in constants
    }
    actions = np.empty((episodes, length, len(env.single_action_space.nvec)), np.int16)
    log_probs, rewards = np.zeros((2, episodes, length), np.float32)
    if painter is not None:
        greedy = greedy if isinstance(greedy, bool) else torch.as_tensor(greedy, device=device)
        state = painter.initial_state(episodes)
        with torch.inference_mode():
            seen_once = painter.constants(
                {name: torch.as_tensor(values, device=device) for name, values in constants.items()}
            )
    for t in range(length):
        for name, values in observations.items():
            values[:, t] = observation[name]
        if painter is None:
            nvec = torch.as_tensor(env.single_action_space.nvec)
            chosen = (torch.rand(episodes, len(nvec), generator=generator) * nvec).long()
        else:
            with torch.inference_mode(), denormals_as_zero():  # inference mode is 7 % quicker here than no_grad
                tensors = {name: torch.as_tensor(observation[name], device=device) for name in observations}
                output = painter(tensors, state, generator=generator, greedy=greedy, constants=seen_once)
                chosen, state = output.actions, output.state
                log_probs[:, t] = joint_log_prob(output.logits, chosen, painter.masks(chosen)).cpu()
        actions[:, t] = chosen.cpu()
        observation, rewards[:, t], *_ = env.step(actions[:, t])
    return Rollout(observations, constants, actions, log_probs, rewards, env.canvases(), weights_seq_no)
