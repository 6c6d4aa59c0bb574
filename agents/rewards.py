"""From scores of canvases to rewards of actions."""

from __future__ import annotations

import torch
from torch import Tensor

TINY = 1e-6


class RewardScale:
    """Zero and unit of the rewards: running mean and spread of the finished canvases' scores.

    A Wasserstein score has no natural zero or unit and both drift as the discriminator learns; the painter sees
    scores in units of their own spread. A painter that collapses to one picture has no spread left: measured in that,
    noise would be all the reward there is and the entropy bonus too small to get it out again. So the unit is never
    less than a share of the gap between real and painted scores.

    Args:
        floor: that share.
    """

    MEAN_DECAY, STD_DECAY = 0.9, 0.95  # per rollout

    def __init__(self, floor: float):
        self.floor = floor
        self.mean: float | None = None
        self.std: float | None = None
        self.gap = 0.0

    @property
    def unit(self) -> float:
        """What a reward of 1 is, in scores."""
        return max(self.std, self.floor * abs(self.gap)) + TINY

    def update(self, scores: Tensor, gap: float) -> None:
        """Take in scores [N] of finished canvases, and the mean score of real pictures less that of painted ones."""
        self.gap = gap
        mean, std = scores.mean().item(), scores.std(correction=0).item()
        self.mean = mean if self.mean is None else self.MEAN_DECAY * self.mean + (1 - self.MEAN_DECAY) * mean
        self.std = std if self.std is None else self.STD_DECAY * self.std + (1 - self.STD_DECAY) * std

    def get_state(self) -> dict:
        return {"mean": self.mean, "std": self.std, "gap": self.gap}

    def set_state(self, state: dict) -> None:
        self.mean, self.std, self.gap = state["mean"], state["std"], state["gap"]


def final_rewards(scores: Tensor, steps: int, scale: RewardScale) -> Tensor:
    """Scores [N] of finished canvases -> rewards [N, T]: the score at the last step, 0 before (SPIRAL eq. 4)."""
    rewards = torch.zeros(len(scores), steps, device=scores.device)
    rewards[:, -1] = (scores - scale.mean) / scale.unit
    return rewards


def difference_rewards(scores: Tensor, scale: RewardScale) -> Tensor:
    """Scores [N, T + 1] of every canvas, the first before any action -> rewards [N, T]: what each action gained.

    Temporal credit assignment of SPIRAL++ (section 3.2): r_t = score(canvas_t) - score(canvas_{t-1}). The sum over an
    episode is the final score less the first canvas's, whatever mean is taken off, so only the scale is used.
    """
    return scores.diff(dim=1) / scale.unit
