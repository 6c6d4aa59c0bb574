"""V-trace targets and advantages (Espeholt et al. 2018, IMPALA, section 4.1). Torch only."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class VTrace(NamedTuple):
    """targets and advantages, float32 [B, T] each, without gradient."""

    targets: Tensor
    advantages: Tensor


@torch.no_grad()
def vtrace(
    log_rhos: Tensor,
    rewards: Tensor,
    values: Tensor,
    *,
    discount: float,
    trace: float = 1.0,
    rho_clip: float = 1.0,
    c_clip: float = 1.0,
) -> VTrace:
    """V-trace of whole episodes: the step after the last one is worth 0, so nothing is bootstrapped.

    Args:
        log_rhos: [B, T] log pi(a|x) - log mu(a|x), learner's policy against the runner's.
        rewards, values: [B, T].
        discount: gamma.
        trace: lambda, which multiplies c (IMPALA, remark 2).
        rho_clip, c_clip: the two truncation levels.
    """
    rhos = log_rhos.exp()
    clipped, cs = rhos.clamp(max=rho_clip), trace * rhos.clamp(max=c_clip)
    following = torch.cat([values[:, 1:], torch.zeros_like(values[:, :1])], dim=1)  # V(x_{t+1})
    deltas = clipped * (rewards + discount * following - values)
    corrections = torch.zeros_like(values)  # v_t - V(x_t), by the recursion of remark 1, last step first
    correction = torch.zeros_like(values[:, 0])
    for t in range(values.shape[1] - 1, -1, -1):
        correction = deltas[:, t] + discount * cs[:, t] * correction
        corrections[:, t] = correction
    targets = values + corrections
    following_targets = torch.cat([targets[:, 1:], torch.zeros_like(values[:, :1])], dim=1)  # v_{t+1}
    return VTrace(targets, clipped * (rewards + discount * following_targets - values))


def normalized(advantages: Tensor) -> Tensor:
    """Advantages [B, T] less their mean, in units of their spread.

    Rewards have a unit: advantages are scaled down where they are large, never up where nothing is to be gained.
    """
    return (advantages - advantages.mean()) / advantages.std(correction=0).clamp(min=1.0)


def clipped(log_rhos: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """What a policy gains by its actions, the clipped surrogate of PPO (Schulman et al. 2017, equation 7): [B, T].

    Args:
        log_rhos: [B, T] log pi(a|x) - log mu(a|x), with gradient.
        advantages: [B, T].
        clip: epsilon.
    """
    rhos = log_rhos.exp()
    return torch.minimum(rhos * advantages, rhos.clamp(1 - clip, 1 + clip) * advantages)
