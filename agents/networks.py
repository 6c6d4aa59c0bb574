"""Networks of the painter: encoders of an observation, location heads, the residual stack. Torch only.

Two designs share one interface. "quick" is small enough for two cores; "spiral" is DeepMind's released agent
(github google-deepmind/spiral, spiral/agents/default.py and utils.py; Ganin et al. 2018, appendix B).
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spiral.config import EnvConfig
from spiral.errors import InputError


def picture_tensor(pictures: Tensor, background: tuple[float, float, float]) -> Tensor:
    """uint8 [..., H, W, C] -> float32 [N, C, H, W]: how far each pixel is from the blank canvas, 0 where untouched.

    A blank canvas is all zeros, so a convolution's zero padding looks like more blank canvas.
    """
    *_, height, width, channels = pictures.shape
    # Planes of bytes first: arithmetic on pixels of three floats takes twice the time of all the rest.
    planes = pictures.reshape(-1, height, width, channels).permute(0, 3, 1, 2).contiguous().to(torch.float32)
    levels = [float(round(255 * level)) for level in background[:channels]]  # the bytes of a blank canvas
    blank = torch.tensor(levels, device=pictures.device).view(1, channels, 1, 1)
    return planes.neg_().add_(blank).div_(255.0)


def add_constant(features: Tensor, constant: Tensor | None) -> Tensor:
    """Features [B * T, ...] of every step, plus those [B, ...] that stay the same in each episode; None is nothing."""
    if constant is None:
        return features
    return (features.unflatten(0, (len(constant), -1)) + constant.unsqueeze(1)).flatten(0, 1)


class PictureConv2d(nn.Conv2d):
    """A convolution of pictures stacked along the channels that can also be had of each alone: their sum is the whole."""

    def of(self, picture: Tensor, first: int) -> Tensor:
        """The share of the picture whose channels begin with number ``first``; the first one's has the bias."""
        weight = self.weight[:, first : first + picture.shape[1]]
        return F.conv2d(picture, weight, None if first else self.bias, self.stride, self.padding)


def orthogonal(layer: nn.Module, gain: float = math.sqrt(2)) -> nn.Module:
    """The layer with orthogonal weights and zero bias."""
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def mlp(*sizes: int) -> nn.Sequential:
    """Linear layers with a ReLU between each two."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [orthogonal(nn.Linear(inputs, outputs)), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class ResidualBlock(nn.Module):
    """Pre-activation block of the released agent: 3x3 then 1x1 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.convolutions(x)


class CellFeatures(nn.Module):
    """Grid cell indices -> features: a learned embedding, the coordinates and their sines and cosines.

    Args:
        points: float32 [cells, 2], the (x, y) of every cell.
        embedding: learned features of a cell.
    """

    def __init__(self, points: Tensor, embedding: int):
        super().__init__()
        centred = points * 2 - 1
        angles = torch.cat([centred * k * math.pi / 2 for k in (1, 2, 4)], dim=1)
        self.register_buffer("fixed", torch.cat([centred, angles.sin(), angles.cos()], dim=1), persistent=False)
        self.learned = nn.Embedding(len(points), embedding)
        self.size = self.fixed.shape[1] + embedding

    def forward(self, cells: Tensor) -> Tensor:
        return torch.cat([self.learned(cells), self.fixed[cells]], dim=-1)


class Encoding(NamedTuple):
    """What an encoder makes of N observations: features [N, hidden], and what pointer heads look at, or None."""

    features: Tensor
    seen: SeenCells | None = None


class Constants(NamedTuple):
    """What an encoder makes of all that stays the same in an episode, [B, ...] each; None where there is none.

    Made once an episode instead of at every step: half of the first convolution's work is the target's.
    """

    target: Tensor | None
    noise: Tensor | None


class QuickEncoder(nn.Module):
    """Two strided convolutions; the other inputs are added to the flattened result.

    Args:
        env: sizes of the pictures.
        pictures: how many it sees, with the target 2.
        extra: number of features of the pen, the previous action and the step.
        noise: number of inputs that stay the same in an episode: noise and label.
        hidden: size of the output.
        channels: of the two convolutions.
        maps: channels of the maps, 0 for none.
    """

    def __init__(
        self,
        env: EnvConfig,
        pictures: int,
        extra: int,
        noise: int,
        hidden: int,
        channels: tuple[int, ...],
        maps: int,
    ):
        super().__init__()
        first, second = channels
        self.convolutions = nn.Sequential(
            orthogonal(PictureConv2d(env.channels * pictures, first, 8, stride=4, padding=2)),
            nn.ReLU(),
            orthogonal(nn.Conv2d(first, second, 3, stride=2, padding=1)),
            nn.ReLU(),
            nn.Flatten(),
        )
        with torch.no_grad():
            seen = self.convolutions[:2](torch.zeros(1, env.channels * pictures, env.height, env.width))
            flat = self.convolutions[2:](seen).shape[1]
        self.maps = CellMaps(first, tuple(seen.shape[2:]), env.grid, maps) if maps else None
        self.canvas = orthogonal(nn.Linear(flat, hidden))
        self.extra = orthogonal(nn.Linear(extra, hidden), gain=1.0)
        self.noise = mlp(noise, hidden, hidden) if noise else None
        self.residual = orthogonal(nn.Linear(hidden, hidden))

    def constants(self, target: Tensor | None, noise: Tensor | None) -> Constants:
        first = self.convolutions[0]
        return Constants(
            None if target is None else first.of(target, target.shape[1]), None if noise is None else self.noise(noise)
        )

    def forward(self, canvas: Tensor, extra: Tensor, constants: Constants) -> Encoding:
        seen = F.relu(add_constant(self.convolutions[0].of(canvas, 0), constants.target))
        h = self.canvas(self.convolutions[2:](seen)) + self.extra(extra)
        h = F.relu(add_constant(h, constants.noise))
        return Encoding(h + F.relu(self.residual(h)), self.maps and self.maps(seen))


class CellMaps(nn.Module):
    """What is to be seen at each cell of the grid: C features, the "maps" [C, grid, grid].

    Each place of the encoder's first convolution gives those of the cells it covers, by a linear layer of its own for
    each of them (sub-pixel convolution, Shi et al. 2016), and where the grid is another than these cells make together,
    they are interpolated. All that is linear, so maps are never made: a pointer head asks for one number a cell and the
    features of one cell, both a fraction of the work.

    Args:
        inputs: channels of that convolution.
        places: (rows, columns) of it.
        grid: cells along a side.
        channels: C.
    """

    def __init__(self, inputs: int, places: tuple[int, int], grid: int, channels: int):
        super().__init__()
        self._grid, self._places = grid, places
        self._factor = factor = max(1, math.ceil(grid / min(places)))
        self.around = orthogonal(nn.Conv2d(inputs, inputs, 3, padding=1))
        self.cells = orthogonal(nn.Conv2d(inputs, channels * factor**2, 1))

        # Each cell is one of those that the places make, or lies between four: their places, their numbers there and
        # their shares, [cells, 1, 2 or 4].
        (y, share_y), (x, share_x) = (_neighbours(count * factor, grid) for count in places)
        (y, share_y), (x, share_x) = (
            (t[:, None, :, None] for t in (y, share_y)),
            (t[None, :, None] for t in (x, share_x)),
        )
        at = {"place": y // factor * places[1] + x // factor, "number": y % factor * factor + x % factor}
        for name, values in (at | {"share": share_y * share_x}).items():
            self.register_buffer(name, values.reshape(grid**2, -1), persistent=False)

    def forward(self, seen: Tensor) -> SeenCells:
        return SeenCells(self, F.relu(self.around(seen)))

    def scores(self, around: Tensor, query: Tensor) -> Tensor:
        """Scalar products of the queries [N, C] with the features of every cell: [N, cells]."""
        factor, channels = self._factor, query.shape[1]
        layers = (query @ self.cells.weight.view(channels, -1)).view(-1, factor**2, around.shape[1])
        biases = (query @ self.cells.bias.view(channels, -1)).unsqueeze(2)
        scores = torch.baddbmm(biases, layers, around.flatten(2))
        rows, columns = self._places
        # As F.pixel_shuffle, in less time.
        scores = scores.view(-1, factor, factor, rows, columns).permute(0, 3, 1, 4, 2)
        scores = scores.reshape(-1, 1, rows * factor, columns * factor)
        if scores.shape[2:] != (self._grid, self._grid):
            scores = F.interpolate(scores, (self._grid, self._grid), mode="bilinear", align_corners=True)
        return scores.flatten(1)

    def at(self, around: Tensor, cells: Tensor) -> Tensor:
        """The features of one cell each, indices [N]: [N, C]."""
        places = self.place[cells].unsqueeze(1).expand(-1, around.shape[1], -1)
        there = around.flatten(2).gather(2, places).transpose(1, 2)
        features = F.linear(there, self.cells.weight.flatten(1), self.cells.bias).unflatten(2, (-1, self._factor**2))
        numbers = self.number[cells][:, :, None, None].expand(-1, -1, features.shape[2], -1)
        return (features.gather(3, numbers) * self.share[cells][:, :, None, None]).sum((1, 3))


def _neighbours(count: int, points: int) -> tuple[Tensor, Tensor]:
    """Linear interpolation of so many values to so many points, ends on ends: indices and shares [points, 1 or 2]."""
    shares = F.interpolate(torch.eye(count)[None], points, mode="linear", align_corners=True)[0].T
    shares, indices = shares.topk(1 if count == points else 2)
    return indices, shares


class SeenCells(NamedTuple):
    """What is seen at the cells of N canvases: ``maps`` and what it makes of them, ``around`` [N, inputs, rows, columns]."""

    maps: CellMaps
    around: Tensor

    def scores(self, query: Tensor) -> Tensor:
        return self.maps.scores(self.around, query)

    def at(self, cells: Tensor) -> Tensor:
        return self.maps.at(self.around, cells)


class PointerHead(nn.Module):
    """Logits of the grid's cells: what the state says of each, and how well what is seen there fits what it looks for."""

    def __init__(self, inputs: int, cells: int, channels: int):
        super().__init__()
        self.flat = orthogonal(nn.Linear(inputs, cells), gain=0.01)
        self.query = orthogonal(nn.Linear(inputs, channels), gain=0.01)

    def forward(self, state: Tensor, seen: SeenCells) -> Tensor:
        return self.flat(state) + seen.scores(self.query(state))


class SpiralEncoder(nn.Module):
    """The released agent's: coordinate planes, strided convolutions, eight residual blocks, one linear layer."""

    WIDTH = 32

    def __init__(self, env: EnvConfig, pictures: int, extra: int, noise: int, hidden: int):
        super().__init__()
        width = self.WIDTH
        y, x = torch.meshgrid(torch.linspace(-1, 1, env.height), torch.linspace(-1, 1, env.width), indexing="ij")
        self.register_buffer("coordinates", torch.stack([x, y])[None], persistent=False)
        self.first = PictureConv2d(env.channels * pictures + 2, width, 5, padding=2)
        self.extra = mlp(extra, 64, 32, width)
        self.noise = mlp(noise, 64, 32, width) if noise else None
        strided: list[nn.Module] = [nn.ReLU()]
        for _ in range(3):
            strided += [nn.Conv2d(width, width, 4, stride=2, padding=1), nn.ReLU()]
        self.convolutions = nn.Sequential(
            *strided,
            nn.Conv2d(width, width, 3, padding=1),
            *[ResidualBlock(width) for _ in range(8)],
            nn.ReLU(),
            nn.Flatten(),
        )
        self.output = nn.Linear(width * (env.height // 8) * (env.width // 8), hidden)

    def constants(self, target: Tensor | None, noise: Tensor | None) -> Constants:
        seen = self.first.of(self.coordinates, self.first.in_channels - 2)
        if target is not None:
            seen = seen + self.first.of(target, target.shape[1])
        return Constants(seen, None if noise is None else self.noise(noise)[:, :, None, None])

    def forward(self, canvas: Tensor, extra: Tensor, constants: Constants) -> Encoding:
        features = add_constant(self.first.of(canvas, 0), constants.target)
        features = add_constant(features + self.extra(extra)[:, :, None, None], constants.noise)
        return Encoding(F.relu(self.output(self.convolutions(features))))


class MapLocationHead(nn.Module):
    """The released agent's location head: state -> 4x4 map -> residual blocks -> transposed convolutions -> logits.

    Output is the K x K map, flattened row by row.

    Raises:
        InputError: a grid or a size of the state that does not fit the maps.
    """

    WIDTH = 32
    GRIDS = (4, 8, 16, 32, 64)  # each a doubling of the one before

    def __init__(self, inputs: int, grid: int):
        super().__init__()
        if grid not in self.GRIDS:
            raise InputError(f"the spiral network's location heads need a grid of 4, 8, 16, 32 or 64, got {grid}")
        if inputs % 16:
            raise InputError(
                "the spiral network's location heads read the state as 4x4 maps: hidden, or lstm where there is one, "
                f"must be a multiple of 16, got {inputs}"
            )
        width = self.WIDTH
        self.channels = inputs // 16
        upsampling: list[nn.Module] = []
        for _ in range(self.GRIDS.index(grid)):
            upsampling += [nn.ReLU(), nn.ConvTranspose2d(width, width, 4, stride=2, padding=1)]
        self.convolutions = nn.Sequential(
            nn.Conv2d(self.channels, width, 3, padding=1),
            *[ResidualBlock(width) for _ in range(8)],
            *upsampling,
            nn.ReLU(),
            nn.Conv2d(width, 1, 3, padding=1),
            nn.Flatten(),
        )

    def forward(self, state: Tensor) -> Tensor:
        return self.convolutions(state.reshape(len(state), self.channels, 4, 4))


class ResidualMix(nn.Module):
    """How the released agent takes a chosen part into its state: z <- ReLU(z + MLP([z, embedding]))."""

    def __init__(self, hidden: int, features: int):
        super().__init__()
        self.embed = nn.Linear(features, 16)
        self.residual = mlp(hidden + 16, 16, 32, hidden)

    def forward(self, state: Tensor, chosen: Tensor) -> Tensor:
        return F.relu(state + self.residual(torch.cat([state, self.embed(chosen)], dim=-1)))


class QuickMix(nn.Module):
    """Add the chosen part's features to the state, then one residual layer.

    Small gains keep the state from growing along the chain of parts: Adam moves every weight alike, so a head that
    reads a ten times larger state learns ten times faster, and the last parts collapse first.
    """

    def __init__(self, hidden: int, features: int):
        super().__init__()
        self.embed = orthogonal(nn.Linear(features, hidden), gain=0.5)
        self.residual = orthogonal(nn.Linear(hidden, hidden), gain=0.5)

    def forward(self, state: Tensor, chosen: Tensor) -> Tensor:
        state = state + self.embed(chosen)
        return state + F.relu(self.residual(state))
