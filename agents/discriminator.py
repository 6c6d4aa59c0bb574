"""The discriminator: scores canvases, higher = more real (WGAN papers call this network a critic). Torch only."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from spiral.config import DiscriminatorConfig, EnvConfig

Score = Callable[[Tensor], Tensor]
"""Inputs [N, ...] of the discriminator -> scores [N]."""


def score_input(pictures: Tensor, targets: Tensor | None = None, masks: Tensor | None = None) -> Tensor:
    """The one way into the discriminator, for real pictures and painted ones.

    Args:
        pictures: uint8 [N, H, W, C].
        targets: uint8 [N, H, W, C], what they were asked to be; for a discriminator of pairs (SPIRAL, section 3.3).
        masks: bool [N, H, W, 1], where only the picture is seen, and elsewhere only the target, so that the two are
            never seen at the same place: the complement discriminator of SPIRAL++. None: both whole.

    Returns:
        float32 [N, C or 2 C, H, W] in [-1, 1], target first; what is hidden is 0.
    """
    inputs = _centred(pictures)
    if targets is not None:
        targets = _centred(targets)
        if masks is not None:
            targets, inputs = targets * ~masks, inputs * masks
        inputs = torch.cat([targets, inputs], dim=-1)
    return inputs.permute(0, 3, 1, 2)


def _centred(pictures: Tensor) -> Tensor:
    return pictures.to(torch.float32) / 127.5 - 1.0


BLOCKS = 4  # along each side, of "random" masks


def draw_masks(kind: str, count: int, env: EnvConfig, generator: torch.Generator) -> Tensor:
    """Masks for ``score_input``, bool [count, H, W, 1], drawn on the generator's device.

    "halves" are the left, right, upper or lower half of the canvas, "random" any of its 4 x 4 blocks.
    """
    chosen = torch.rand(count, BLOCKS, BLOCKS, generator=generator, device=generator.device) < 0.5
    if kind == "halves":
        first = torch.arange(BLOCKS, device=generator.device) < BLOCKS // 2
        upright, left = chosen[:, 0, 0].view(-1, 1, 1), chosen[:, 0, 1].view(-1, 1, 1)
        chosen = torch.where(upright, first[:, None], first[None, :]) == left
    rows, columns = (
        (torch.arange(side, device=generator.device) * BLOCKS).div(side, rounding_mode="floor")
        for side in (env.height, env.width)
    )
    return chosen[:, rows][:, :, columns].unsqueeze(-1)


class Discriminator(nn.Module):
    """Strided convolutions and one linear layer, no batch norm (a batch's pictures must not see each other).

    The first layers are given by the configuration; on larger canvases the last one is repeated until the map is at
    most 4 x 4. No layer is added once a side is 1 pixel: it could not be halved again. With
    classes a second output of the same layers says what it sees, the auxiliary classifier of Odena et al. 2017.

    Args:
        config: widths.
        env: size of the pictures, whether they are scored beside a target, and the number of classes.
        spectral: normalise every layer spectrally (SPIRAL++), for objectives without a gradient penalty.
    """

    def __init__(self, config: DiscriminatorConfig, env: EnvConfig, spectral: bool):
        super().__init__()
        wrap = spectral_norm if spectral else (lambda layer: layer)
        channels, height, width = env.channels * (2 if env.target else 1), env.height, env.width
        widths = list(config.channels)
        layers: list[nn.Module] = []
        while min(height, width) > 1 and (widths or max(height, width) > 4):
            following = widths.pop(0) if widths else channels
            layers += [wrap(nn.Conv2d(channels, following, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
            channels, height, width = following, height // 2, width // 2
        features = channels * height * width
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.score = wrap(nn.Linear(features, 1))
        self.classes = wrap(nn.Linear(features, env.classes)) if env.classes else None

    def forward(self, x: Tensor) -> Tensor:
        """float32 [N, C, H, W] in [-1, 1], made by ``score_input`` -> scores [N]."""
        return self.score(self.layers(x)).squeeze(-1)

    def log_probs(self, x: Tensor, labels: Tensor) -> Tensor:
        """log p(label | picture) [N] of pictures as for ``forward`` and int64 labels [N]."""
        return F.log_softmax(self.classes(self.layers(x)), dim=1).gather(1, labels[:, None]).squeeze(1)
