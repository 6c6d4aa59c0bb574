"""The squared error to the target, without a discriminator."""

import torch
from torch import Tensor
from torch.nn import functional as F

from spiral.agents.objectives.base import OBJECTIVES, TargetObjective


@OBJECTIVES.register("l2")
class L2(TargetObjective):
    """Squared error to a given picture, no discriminator (SPIRAL, section 3.3); needs env.target."""

    def score(self, canvases, targets):
        difference = canvases.to(torch.int16) - targets  # 255 * 64, the largest sum of a block's rows, has room
        return -torch.stack([_error(difference, scale) for scale in self.config.scales]).mean(dim=0)


def _error(difference: Tensor, scale: int) -> Tensor:
    """scale^2 times the mean square of the blocks' means, [N], of int16 [N, H, W, C] in 1/255.

    Beyond the edge of the picture, where blocks reach over it, nothing differs. Sums of slices: pooling takes ten times
    as long on pixels of three bytes.
    """
    _, height, width, _ = difference.shape
    difference = F.pad(difference, (0, 0, 0, -width % scale, 0, -height % scale))
    rows = sum(difference[:, i::scale] for i in range(scale)).to(torch.float32)
    blocks = sum(rows[:, :, i::scale] for i in range(scale)).flatten(1)
    return torch.linalg.vector_norm(blocks, dim=1).square() / (blocks.shape[1] * (255 * scale) ** 2)
