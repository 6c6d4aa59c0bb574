"""What tests of painters ask of rollouts."""

import numpy as np
import torch

from spiral.agents.rollout import Rollout


def observed(rollout: Rollout) -> dict[str, torch.Tensor]:
    """All that the painter saw, name -> [N, T, ...], what stays the same at every step included."""
    episodes, steps = rollout.log_probs.shape
    constants = {
        name: np.broadcast_to(values[:, np.newaxis], (episodes, steps, *values.shape[1:])).copy()
        for name, values in rollout.constants.items()
    }
    return {name: torch.as_tensor(values) for name, values in (rollout.observations | constants).items()}
