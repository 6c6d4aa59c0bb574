"""The painter as an RLlib RLModule: runs in this project's runner and learner and in RLlib's own."""

from __future__ import annotations

import math
from typing import Any

import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.distribution import Distribution
from ray.rllib.core.rl_module.apis import ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from spiral.agents.heads import joint_log_prob, part_entropies
from spiral.agents.painter import Painter, Unrolled
from spiral.config import EnvConfig, PainterConfig


class PainterDistribution(Distribution):
    """Joint distribution of an action's parts, from the normalised logits of teacher-forced heads.

    Made by RLlib from logits alone, so the painter whose masks it applies is bound as a class attribute:
    ``PainterDistribution.of(painter)`` is the class to give to RLlib.
    """

    painter: Painter

    @classmethod
    def of(cls, painter: Painter) -> type[PainterDistribution]:
        """The distribution class of this painter's actions."""
        return type(cls.__name__, (cls,), {"painter": painter})

    def __init__(self, logits: list[Tensor]):
        self.logits = logits

    @classmethod
    def from_logits(cls, logits: Tensor, **kwargs) -> PainterDistribution:
        """From the logits of all parts side by side, [..., sum of nvec]."""
        return cls(list(logits.split(cls.painter.table.nvec.tolist(), dim=-1)))

    def logp(self, value: Tensor, **kwargs) -> Tensor:
        """log p of actions int [..., parts] whose parts the logits were computed with: [...]."""
        return joint_log_prob(self.logits, value, self.painter.masks(value))

    def part_entropies(self, actions: Tensor) -> Tensor:
        """Entropy of each part given the actual parts before it, [..., parts], 0 where the part did not matter."""
        return part_entropies(self.logits, self.painter.masks(actions))

    def entropy(self, **kwargs) -> Tensor:
        """Entropy of the parts along the action the logits belong to, each weighted with p(it matters)."""
        return part_entropies(self.logits, self._relevance()).sum(-1)

    def kl(self, other: PainterDistribution, **kwargs) -> Tensor:
        """KL divergence of the parts from those of ``other`` along the action, each weighted with p(it matters)."""
        divergences = []
        for mine, theirs in zip(self.logits, other.logits):
            divergences.append((mine.exp() * (mine - theirs)).sum(-1))
        return (torch.stack(divergences, dim=-1) * self._relevance()).sum(-1)

    def _relevance(self) -> Tensor:
        """Probability that each part matters, [..., parts]."""
        return self.logits[0].exp() @ self.painter.relevant.float()

    def sample(self, **kwargs):
        raise NotImplementedError("parts depend on each other: sample with Painter.forward, not from finished logits")

    rsample = sample

    @staticmethod
    def required_input_dim(space, **kwargs) -> int:
        return int(space.nvec.sum())


class PainterModule(TorchRLModule, ValueFunctionAPI):
    """RLlib's face of ``Painter``.

    ``model_config`` holds ``painter`` and ``env``, the fields of ``PainterConfig`` and ``EnvConfig``. Batches have
    leading dimensions [B] or, with an LSTM or in this project's learner, [B, T].
    """

    def setup(self) -> None:
        super().setup()
        self.painter = Painter(PainterConfig(**self.model_config["painter"]), EnvConfig(**self.model_config["env"]))
        self.action_dist_cls = PainterDistribution.of(self.painter)

    def get_initial_state(self) -> dict[str, Tensor]:
        """Zeros [lstm] for each recurrent state, one episode's; {} without an LSTM."""
        return {name: value[0] for name, value in self.painter.initial_state().items()}

    def _forward_exploration(self, batch: dict[str, Any], **kwargs) -> dict[str, Any]:
        return self._act(batch, greedy=False)

    def _forward_inference(self, batch: dict[str, Any], **kwargs) -> dict[str, Any]:
        return self._act(batch, greedy=True)

    @torch.no_grad()
    def _act(self, batch: dict[str, Any], greedy: bool) -> dict[str, Any]:
        lead = batch[Columns.OBS]["canvas"].shape[:-3]
        output = self.painter(batch[Columns.OBS], batch.get(Columns.STATE_IN, {}), greedy=greedy)
        log_probs = joint_log_prob(output.logits, output.actions, self.painter.masks(output.actions))
        result = {
            Columns.ACTIONS: output.actions.reshape(*lead, -1),
            Columns.ACTION_LOGP: log_probs.reshape(lead),
        }
        return result | ({Columns.STATE_OUT: output.state} if output.state else {})

    def _forward_train(self, batch: dict[str, Any], **kwargs) -> dict[str, Any]:
        lead = batch[Columns.OBS]["canvas"].shape[:-3]
        core, seen, _ = self._unroll(batch, lead)
        actions = batch[Columns.ACTIONS].reshape(math.prod(lead), -1)
        _, logits = self.painter.heads(core, actions, seen=seen)  # teacher-forced: those of the actions taken
        return {
            Columns.ACTION_DIST_INPUTS: torch.cat(logits, dim=-1).reshape(*lead, -1),
            Columns.EMBEDDINGS: core,
        }

    def compute_values(self, batch: dict[str, Any], embeddings: Tensor | None = None) -> Tensor:
        """Expected returns of the batch's observations, with its leading dimensions."""
        lead = batch[Columns.OBS]["canvas"].shape[:-3]
        core = self._unroll(batch, lead).core if embeddings is None else embeddings
        return self.painter.value(core).reshape(lead)

    def _unroll(self, batch: dict[str, Any], lead: torch.Size) -> Unrolled:
        """Of the whole batch; episodes in this project's learner begin with the batch, so with a zero state."""
        time = lead[1] if len(lead) > 1 else 1
        state = batch.get(Columns.STATE_IN) or self.painter.initial_state(lead[0])
        return self.painter.unroll(batch[Columns.OBS], state, time)
