"""The painter: the policy and value network. Torch only; ``agents/module.py`` makes an RLlib RLModule of it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spiral.agents import networks
from spiral.agents.heads import AutoregressiveHeads
from spiral.agents.networks import Constants, Encoding, SeenCells
from spiral.config import EnvConfig, PainterConfig
from spiral.envs.actions import action_table

LONG = 64  # actions; of longer episodes a one-hot step would be larger than small canvases
LABEL_GAIN = 4.0  # a label beside the noise, whose numbers are about so long together, or it is not heard
State = dict[str, Tensor]  # recurrent state: {"h": [N, lstm], "c": [N, lstm]}, empty without an LSTM


class PainterOutput(NamedTuple):
    """actions int64 [N, parts]; logits, normalised, one [N, n] a part; core [N, size], which ``Painter.value`` reads;
    state, the next recurrent state."""

    actions: Tensor
    logits: list[Tensor]
    core: Tensor
    state: State


class Unrolled(NamedTuple):
    """core float32 [B * T, size]; seen, what pointer heads look at, or None; state, the last recurrent state."""

    core: Tensor
    seen: SeenCells | None
    state: State


class Painter(nn.Module):
    """Observation -> action parts, one after the other, and the value of the observation.

    Args:
        config: the network.
        env: the environment it paints in; fixes every input and output size.
    """

    def __init__(self, config: PainterConfig, env: EnvConfig):
        super().__init__()
        self.config, self.env = config, env
        self.table = action_table(env)
        points = torch.as_tensor(self.table.cell_points)
        self.register_buffer("steps", step_features(env.episode_length), persistent=False)
        self.register_buffer("relevant", torch.as_tensor(self.table.relevant).bool(), persistent=False)

        pictures = 2 if env.target else 1
        sizes = {part: int(n) for part, n in zip(self.table.parts, self.table.nvec)}
        coordinates = FixedFeatures(points * 2 - 1)
        # Of the previous action's parts.
        features = {part: coordinates if part in self.table.points else OneHot(n) for part, n in sizes.items()}
        self.previous = nn.ModuleDict(features)
        extra = 2 + sum(each.size for each in features.values()) + self.steps.shape[1]
        noise = env.noise_size + env.classes
        if config.network == "quick":
            self.cells = networks.CellFeatures(points, config.location_embedding)
            self.encoder = networks.QuickEncoder(
                env, pictures, extra, noise, config.hidden, tuple(config.channels), config.pointer
            )
            features |= dict.fromkeys(self.table.points, self.cells)
            seen = config.pointer
        else:
            self.encoder = networks.SpiralEncoder(env, pictures, extra, noise, config.hidden)
            seen = 0
        self.core = nn.LSTMCell(config.hidden, config.lstm) if config.lstm else None
        state_size = config.lstm or config.hidden
        self.heads = self._make_heads(sizes, features, state_size, seen)
        if config.network == "quick":
            self.value = nn.Sequential(
                networks.orthogonal(nn.Linear(state_size, 128)),
                nn.ReLU(),
                networks.orthogonal(nn.Linear(128, 1), gain=0.01),
            )
        else:
            self.value = nn.Linear(state_size, 1)

    def _make_heads(self, sizes, features, state_size, seen) -> AutoregressiveHeads:
        """``sizes``: number of choices of each part; ``features`` of them; ``seen``: number of those of a cell's looks."""
        quick = self.config.network == "quick"
        mix = networks.QuickMix if quick else networks.ResidualMix
        logits, mixes = {}, {}
        for part, n in sizes.items():
            is_location = part in self.table.points
            if is_location and not quick:
                logits[part] = networks.MapLocationHead(state_size, self.env.grid)
            elif is_location and seen:
                logits[part] = networks.PointerHead(state_size, n, seen)
            else:
                logits[part] = networks.orthogonal(nn.Linear(state_size, n), gain=0.01)
            mixes[part] = mix(state_size, features[part].size + (seen if is_location else 0))
        del mixes[part]  # nothing is chosen after the last part
        return AutoregressiveHeads(self.table.parts, logits, mixes, features)

    def masks(self, actions: Tensor) -> Tensor:
        """Which parts of actions int [..., parts] mattered: bool [..., parts]."""
        return self.relevant[actions[..., 0].long()]

    def initial_state(self, batch: int = 1) -> State:
        """The recurrent state at the start of an episode: zeros [batch, lstm]."""
        if self.core is None:
            return {}
        zeros = torch.zeros(batch, self.config.lstm, device=self.steps.device)
        return {"h": zeros, "c": zeros}

    def constants(self, observation: dict[str, Tensor]) -> Constants:
        """What is made of noise, label and target, [B, ...] or [B, 1, ...], the same at every step of B episodes."""
        target = networks.picture_tensor(observation["target"], self.env.background) if self.env.target else None
        inputs = [observation["noise"].float().reshape(-1, self.env.noise_size)] if self.env.noise_size else []
        if self.env.classes:
            inputs.append(LABEL_GAIN * F.one_hot(observation["label"].long().reshape(-1), self.env.classes))
        return self.encoder.constants(target, torch.cat(inputs, dim=1) if inputs else None)

    def encode(self, observation: dict[str, Tensor], constants: Constants | None = None) -> Encoding:
        """Observation with leading dimensions [...], canvas uint8 [..., H, W, C] -> its encoding, [N, ...], N flat.

        ``constants``, where they are known already, stand for noise, label and target.
        """
        canvas = networks.picture_tensor(observation["canvas"], self.env.background)
        if self.config.blind:
            canvas = torch.zeros_like(canvas)
        extra = self._extra(observation, len(canvas))
        return self.encoder(canvas, extra, constants or self.constants(observation))

    def _extra(self, observation: dict[str, Tensor], n: int) -> Tensor:
        """Pen, previous action and step as numbers [n, extra]; parts that did not matter are zeros."""
        previous = observation["previous"].reshape(n, -1).long()
        mattered = self.masks(previous)
        inputs = [observation["pen"].reshape(n, 2).float() * 2 - 1]
        for index, features in enumerate(self.previous.values()):
            inputs.append(features(previous[:, index]) * mattered[:, index : index + 1])
        inputs.append(self.steps[observation["step"].reshape(n).long()])
        return torch.cat(inputs, dim=1)

    def forward(
        self,
        observation: dict[str, Tensor],
        state: State,
        actions: Tensor | None = None,
        generator: torch.Generator | None = None,
        greedy: bool | Tensor = False,
        constants: Constants | None = None,
    ) -> PainterOutput:
        """One step of N episodes; ``actions`` int [N, parts] are followed where given, else chosen as by ``choose``.

        ``constants`` of these episodes, where they are known already, save time.
        """
        features, seen = self.encode(observation, constants)
        core, state = self._step(features, state)
        chosen, logits = self.heads(core, actions, generator, greedy, seen)
        return PainterOutput(chosen, logits, core, state)

    def _step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        if self.core is None:
            return features, {}
        h, c = self.core(features, (state["h"], state["c"]))
        return h, {"h": h, "c": c}

    def unroll(self, observation: dict[str, Tensor], state: State, time: int) -> Unrolled:
        """What the heads and the value need of observations [B, T, ...], and the recurrent state after the last step.

        Noise, label and target may also be [B, 1, ...].
        """
        features, seen = self.encode(observation)
        if self.core is None:
            return Unrolled(features, seen, {})
        outputs = []
        for step in features.reshape(-1, time, features.shape[-1]).unbind(dim=1):
            output, state = self._step(step, state)
            outputs.append(output)
        return Unrolled(torch.stack(outputs, dim=1).flatten(0, 1), seen, state)


class FixedFeatures(nn.Module):
    """Indices [N] -> their rows of a table float32 [n, size] that does not learn: [N, size]."""

    def __init__(self, table: Tensor):
        super().__init__()
        self.register_buffer("table", table, persistent=False)
        self.size = table.shape[1]

    def forward(self, indices: Tensor) -> Tensor:
        return self.table[indices]


class OneHot(FixedFeatures):
    """Indices [N] -> one-hot float32 [N, n]; from a table, since ``F.one_hot`` first looks for the largest of them."""

    def __init__(self, n: int):
        super().__init__(torch.eye(n))


def step_features(length: int) -> Tensor:
    """What the painter is told of each step of an episode, float32 [length + 1, features].

    One-hot or, in long episodes, the share that is over with its sines and cosines, seven octaves of them.
    """
    if length <= LONG:
        return torch.eye(length + 1)
    over = torch.linspace(-1, 1, length + 1)[:, None]
    angles = over * torch.pi / 2 * 2 ** torch.arange(7)
    return torch.cat([over, angles.sin(), angles.cos()], dim=1)
