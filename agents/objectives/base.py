"""What every objective is."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from spiral.agents.discriminator import Discriminator
from spiral.config import ObjectiveConfig
from spiral.registry import Registry

OBJECTIVES = Registry("objective", "spiral.agents.objectives")


class Objective:
    """A loss for the discriminator, whose scores are the painter's rewards."""

    spectral: ClassVar[bool] = False  # whether the discriminator's layers are spectrally normalised

    def __init__(self, config: ObjectiveConfig):
        self.config = config

    def loss(
        self, discriminator: Discriminator, real: Tensor, fake: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to minimise, a scalar, and figures to log.

        Args:
            real, fake: float32 [N, C, H, W] in [-1, 1], as many of each.
            generator: for whatever the loss draws at random.
        """
        raise NotImplementedError
