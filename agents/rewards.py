"""From scores of canvases to rewards of actions."""

from __future__ import annotations

import torch
from torch import Tensor

REWARD_SCALE_FLOOR = 1e-6


class RewardScale:
    """Running mean and standard deviation of the final canvases' scores.

    A Wasserstein score has no natural zero or unit and both drift as the discriminator learns; the painter sees
    scores in units of their own spread.
    """

    MEAN_DECAY, STD_DECAY = 0.9, 0.95  # per rollout

    def __init__(self):
        self.mean: float | None = None
        self.std: float | None = None

    def update(self, scores: Tensor) -> None:
        """Take in scores [N] of finished canvases."""
        mean, std = scores.mean().item(), scores.std(correction=0).item()
        self.mean = mean if self.mean is None else self.MEAN_DECAY * self.mean + (1 - self.MEAN_DECAY) * mean
        self.std = std if self.std is None else self.STD_DECAY * self.std + (1 - self.STD_DECAY) * std

    def get_state(self) -> dict:
        return {"mean": self.mean, "std": self.std}

    def set_state(self, state: dict) -> None:
        self.mean, self.std = state["mean"], state["std"]


def final_rewards(scores: Tensor, steps: int, scale: RewardScale) -> Tensor:
    """Scores [N] of finished canvases -> rewards [N, T]: the score at the last step, 0 before (SPIRAL eq. 4)."""
    rewards = torch.zeros(len(scores), steps, device=scores.device)
    rewards[:, -1] = (scores - scale.mean) / (scale.std + REWARD_SCALE_FLOOR)
    return rewards


def difference_rewards(scores: Tensor, scale: RewardScale) -> Tensor:
    """Scores [N, T + 1] of every canvas, the first before any action -> rewards [N, T]: what each action gained.

    Temporal credit assignment of SPIRAL++ (section 3.2): r_t = score(canvas_t) - score(canvas_{t-1}). The sum over an
    episode is the final score less the first canvas's, whatever mean is taken off, so only the scale is used.
    """
    return scores.diff(dim=1) / (scale.std + REWARD_SCALE_FLOOR)
