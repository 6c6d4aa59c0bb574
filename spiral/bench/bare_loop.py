"""SPIRAL as the shortest honest program: one process, no Ray, nothing overlaps. What `spiral train` is measured by.

It reads from top to bottom like the paper's algorithm: paint a batch, show the discriminator the finished canvases, score
them, and follow the policy gradient. Networks, batches and the numbers of updates are those of the same settings in
training, so both cost the same arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from spiral.agents.discriminator import Discriminator, score_input
from spiral.agents.heads import joint_log_prob, part_entropies
from spiral.agents.image_buffer import ImageBuffer
from spiral.agents.objectives import OBJECTIVES
from spiral.agents.painter import Painter
from spiral.agents.rewards import RewardScale, final_rewards
from spiral.agents.vtrace import normalized, vtrace
from spiral.config import RunConfig
from spiral.datasets import load_pictures
from spiral.envs.vector import PaintVectorEnv


class Batch(NamedTuple):
    """N whole episodes of T actions: observations {name: [N, T, ...]}, actions [N, T, parts], log p [N, T]."""

    observations: dict[str, Tensor]
    actions: Tensor
    log_probs: Tensor

    def rows(self, rows: Tensor) -> Batch:
        """Some of the episodes."""
        observations = {name: values[rows] for name, values in self.observations.items()}
        return Batch(observations, self.actions[rows], self.log_probs[rows])


class BareLoop:
    """Painter, discriminator and all they need; one call trains on one batch of paintings.

    Args:
        run: settings; only those of a feed-forward painter rewarded for finished canvases, in one pass over each rollout.
    """

    def __init__(self, run: RunConfig):
        torch.manual_seed(run.seed)
        self.run = run
        self.env = PaintVectorEnv(run.num_envs, run.env)
        self.painter = Painter(run.painter, run.env)
        self.average = {name: value.clone() for name, value in self.painter.state_dict().items()}
        self.optimizer = torch.optim.Adam(self.painter.parameters(), run.learner.learning_rate, eps=1e-5, fused=True)

        self.objective = OBJECTIVES.get(run.objective.name)(run.objective)
        self.discriminator = Discriminator(run.discriminator, run.env, self.objective.spectral)
        self.discriminator_optimizer = torch.optim.Adam(
            self.discriminator.parameters(), run.discriminator.learning_rate, run.discriminator.betas, fused=True
        )
        self.pictures = load_pictures(run.data, "train", **run.env.picture).images
        self.buffer = ImageBuffer(run.discriminator.buffer_size)
        self.scale = RewardScale(run.objective.spread_floor)
        self.rng = np.random.default_rng(run.seed)
        self.generator = torch.Generator().manual_seed(run.seed)
        self.rounds = 0

    def __call__(self) -> int:
        """Paint and learn once; returns the environment steps that took."""
        batch, finals = self.paint()
        gap = self.train_discriminator(finals)
        self.train_painter(batch, self.rewards(finals, gap))
        return batch.log_probs.numel()

    @torch.no_grad()
    def paint(self) -> tuple[Batch, np.ndarray]:
        """One episode on every canvas, and the finished canvases uint8 [N, H, W, C]."""
        observation, _ = self.env.reset(seed=self.rounds * self.run.num_envs)
        steps = []
        for _ in range(self.run.env.episode_length):
            seen = {name: torch.as_tensor(values) for name, values in observation.items()}
            output = self.painter(seen, {}, generator=self.generator)
            log_prob = joint_log_prob(output.logits, output.actions, self.painter.masks(output.actions))
            steps.append((seen, output.actions, log_prob))
            observation, *_ = self.env.step(output.actions.numpy())
        seen, actions, log_probs = zip(*steps, strict=True)
        observations = {name: torch.stack([each[name] for each in seen], dim=1) for name in observation}
        batch = Batch(observations, torch.stack(actions, dim=1), torch.stack(log_probs, dim=1))
        return batch, self.env.canvases()

    def train_discriminator(self, finals: np.ndarray) -> float:
        """Real pictures against painted ones of late; returns the gap between their scores."""
        batch, gaps = self.run.discriminator.batch_size, []
        self.buffer.add({"canvas": finals})
        for _ in range(self.run.discriminator.updates):
            real = self.pictures[self.rng.integers(len(self.pictures), size=batch)]
            fake = self.buffer.sample(batch, self.rng)["canvas"]
            real, fake = (score_input(torch.as_tensor(pictures)) for pictures in (real, fake))
            loss, figures = self.objective.loss(self.discriminator.train(), real, fake, self.generator)
            self.discriminator_optimizer.zero_grad()
            loss.backward()
            self.discriminator_optimizer.step()
            gaps.append(figures["gap"].item())
        return float(np.mean(gaps))

    @torch.no_grad()
    def rewards(self, finals: np.ndarray, gap: float) -> Tensor:
        """The score of the finished canvas with the last action, 0 before: [N, T]."""
        scores = self.discriminator.eval()(score_input(torch.as_tensor(finals)))
        self.scale.update(scores, gap)
        return final_rewards(scores, self.run.env.episode_length, self.scale)

    def train_painter(self, batch: Batch, rewards: Tensor) -> None:
        """A step for every minibatch of whole episodes; then the average that paints."""
        settings = self.run.learner
        for rows in torch.arange(len(rewards)).split(settings.minibatch):
            loss = self.loss(batch.rows(rows), rewards[rows])
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.painter.parameters(), settings.gradient_clip)
            self.optimizer.step()
        self.rounds += 1
        decay = min(settings.average, (1 + self.rounds) / (10 + self.rounds))
        for name, value in self.painter.state_dict().items():
            self.average[name].lerp_(value, 1 - decay)

    def loss(self, batch: Batch, rewards: Tensor) -> Tensor:
        """V-trace policy gradient, Huber value loss, entropy bonus; all means over steps."""
        settings = self.run.learner
        episodes, steps = rewards.shape
        core, seen, _ = self.painter.unroll(batch.observations, {}, steps)
        actions = batch.actions.flatten(0, 1)
        _, logits = self.painter.heads(core, actions, seen=seen)
        masks = self.painter.masks(actions)
        log_probs = joint_log_prob(logits, actions, masks).view(episodes, steps)
        values = self.painter.value(core).view(episodes, steps)
        targets, advantages = vtrace(
            (log_probs - batch.log_probs).detach(),
            rewards,
            values.detach(),
            discount=settings.discount,
            trace=settings.trace,
            rho_clip=settings.rho_clip,
            c_clip=settings.c_clip,
        )
        policy_loss = -(normalized(advantages) * log_probs).mean()
        entropy = part_entropies(logits, masks).sum(dim=-1).mean()
        return policy_loss + settings.value * F.huber_loss(values, targets) - settings.entropy * entropy
