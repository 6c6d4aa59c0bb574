"""What every objective is."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from spiral.agents.discriminator import Score
from spiral.config import EnvConfig, ObjectiveConfig
from spiral.errors import InputError
from spiral.registry import Registry

OBJECTIVES = Registry("objective", "spiral.agents.objectives")


class Objective:
    """What turns canvases into rewards: a kind of one of the two below."""

    def __init__(self, config: ObjectiveConfig):
        self.config = config


def check_objective(name: str, env: EnvConfig) -> None:
    """Refuse an objective that this environment gives no targets for.

    Raises:
        InputError: it compares with targets and there are none, or there is no such objective.
    """
    if issubclass(OBJECTIVES.get(name), TargetObjective) and not env.target:
        raise InputError(
            f"objective {name} compares paintings with given pictures, and this run gives none; set env.target=true, or "
            "another objective"
        )


class AdversarialObjective(Objective):
    """A loss for the discriminator, whose scores are the painter's rewards."""

    spectral: ClassVar[bool] = False  # whether the discriminator's layers are spectrally normalised

    def loss(
        self, discriminator: Score, real: Tensor, fake: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to minimise, a scalar, and figures to log.

        Args:
            discriminator: scores inputs.
            real, fake: float32 [N, C, H, W] in [-1, 1], as ``score_input`` makes them, as many of each.
            generator: for whatever the loss draws at random.
        """
        raise NotImplementedError


class TargetObjective(Objective):
    """Scores canvases by the pictures they were asked to be: nothing is learned for it."""

    def score(self, canvases: Tensor, targets: Tensor) -> Tensor:
        """Scores [N], higher is better, of canvases uint8 [N, H, W, C] for targets of the same shape."""
        raise NotImplementedError
