"""The discriminator: scores canvases, higher = more real (WGAN papers call this network a critic). Torch only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from spiral.config import DiscriminatorConfig, EnvConfig


def score_input(pictures: Tensor) -> Tensor:
    """uint8 [N, H, W, C] -> float32 [N, C, H, W] in [-1, 1]: the one way into the discriminator, real or painted."""
    return pictures.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1.0


class Discriminator(nn.Module):
    """Strided convolutions and one linear layer, no batch norm (a batch's pictures must not see each other).

    The first layers are given by the configuration; on larger canvases the last one is repeated until the map is at
    most 4 x 4. No layer is added once a side is 1 pixel: it could not be halved again.

    Args:
        config: widths.
        env: size of the pictures.
        spectral: normalise every layer spectrally (SPIRAL++), for objectives without a gradient penalty.
    """

    def __init__(self, config: DiscriminatorConfig, env: EnvConfig, spectral: bool):
        super().__init__()
        wrap = spectral_norm if spectral else (lambda layer: layer)
        channels, height, width = env.channels, env.height, env.width
        widths = list(config.channels)
        layers: list[nn.Module] = []
        while min(height, width) > 1 and (widths or max(height, width) > 4):
            following = widths.pop(0) if widths else channels
            layers += [wrap(nn.Conv2d(channels, following, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
            channels, height, width = following, height // 2, width // 2
        self.layers = nn.Sequential(*layers, nn.Flatten(), wrap(nn.Linear(channels * height * width, 1)))

    def forward(self, x: Tensor) -> Tensor:
        """float32 [N, C, H, W] in [-1, 1] -> scores [N]."""
        return self.layers(x).squeeze(-1)
