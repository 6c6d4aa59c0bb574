"""The squared error to the target, without a discriminator."""

import torch
from torch.nn import functional as F

from spiral.agents.objectives.base import OBJECTIVES, TargetObjective


@OBJECTIVES.register("l2")
class L2(TargetObjective):
    """Squared error to a given picture, no discriminator (SPIRAL, section 3.3); needs env.target."""

    def score(self, canvases, targets):
        difference = (canvases.to(torch.float32) - targets.to(torch.float32)).permute(0, 3, 1, 2) / 255
        errors = [
            F.avg_pool2d(difference, scale, ceil_mode=True).square().mean(dim=(1, 2, 3)) * scale**2
            for scale in self.config.scales
        ]
        return -torch.stack(errors).mean(dim=0)
