"""Losses of the discriminator as pure functions of scores, or of a discriminator and pictures. Torch only."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def wasserstein_loss(real: Tensor, fake: Tensor) -> Tensor:
    """mean score(fake) - mean score(real), of scores [N] (SPIRAL eq. 1 without the penalty)."""
    return fake.mean() - real.mean()


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """mean max(0, 1 - score(real)) + mean max(0, 1 + score(fake)), of scores [N] (Miyato et al. 2018, eq. 17)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def logistic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """mean -log sigma(score(real)) + mean -log(1 - sigma(score(fake))), of scores [N] (Goodfellow et al. 2014, eq. 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def gradient_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """mean (|d score / d x| - 1)^2 between real and fake pictures (Gulrajani et al. 2017, eq. 3).

    Args:
        discriminator: pictures [N, C, H, W] -> scores [N].
        real, fake: float32 [N, C, H, W].
        mix: [N] in 0..1, how far each point lies from fake to real.
    """
    mix = mix.view(-1, 1, 1, 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
