"""The autoregressive action distribution: p(a) = p(flag) p(end | flag) p(control | flag, end) ... (SPIRAL, appendix B).

Every part is chosen from logits that depend on the parts before it. In training the parts are *given*
(teacher forcing): logits computed while sampling afresh would belong to another action than the one taken.

Logits are normalised here once, by a log-softmax: they *are* log-probabilities, and everything below reads them so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spiral.agents.networks import PointerHead, SeenCells


def choose(logits: Tensor, generator: torch.Generator | None, greedy: bool | Tensor) -> Tensor:
    """One index for each row of normalised logits [N, n]: the most probable, or a sample; ``greedy`` may be bool [N]."""
    if greedy is True:
        return logits.max(dim=-1).indices  # as argmax, in a third of its time
    # By the inverse of the distribution function: one random number a row, where Gumbel's trick needs n.
    edges = logits.exp().cumsum(dim=-1)
    thresholds = edges[:, -1:] * torch.rand(len(logits), 1, generator=generator, device=logits.device)
    drawn = torch.searchsorted(edges, thresholds, right=True).squeeze(-1).clamp(max=logits.shape[-1] - 1)
    return drawn if greedy is False else torch.where(greedy, choose(logits, None, True), drawn)


class AutoregressiveHeads(nn.Module):
    """Logits of every part, each conditioned on the parts before it.

    Args:
        parts: names in the order of choice.
        logits: part name -> module from state [N, hidden] to logits [N, n].
        mixes: part name -> module (state, features of the choice) -> state; for every part but the last.
        features: part name -> function of indices [N] giving the features of the choice [N, f].
    """

    def __init__(
        self,
        parts: Sequence[str],
        logits: dict[str, nn.Module],
        mixes: dict[str, nn.Module],
        features: dict[str, Callable[[Tensor], Tensor]],
    ):
        super().__init__()
        self.parts = tuple(parts)
        self.logits = nn.ModuleDict(logits)
        self.mixes = nn.ModuleDict(mixes)
        self._features = features  # plain functions or modules owned by the painter: not registered twice

    def forward(
        self,
        state: Tensor,
        actions: Tensor | None = None,
        generator: torch.Generator | None = None,
        greedy: bool | Tensor = False,
        seen: SeenCells | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Choose or, with ``actions`` int [N, parts] given, follow them; ``seen`` is what pointer heads look at.

        Returns:
            The actions int64 [N, parts] and the normalised logits of every part, each [N, n] given the parts before it.
        """
        chosen, all_logits = [], []
        for index, part in enumerate(self.parts):
            head = self.logits[part]
            logits = F.log_softmax(head(state, seen) if isinstance(head, PointerHead) else head(state), dim=-1)
            choice = choose(logits, generator, greedy) if actions is None else actions[:, index].long()
            chosen.append(choice)
            all_logits.append(logits)
            if part in self.mixes:
                features = self._features[part](choice)
                if isinstance(head, PointerHead):  # and what is seen at the chosen cell
                    features = torch.cat([features, seen.at(choice)], dim=1)
                state = self.mixes[part](state, features)
        return torch.stack(chosen, dim=-1), all_logits


def joint_log_prob(logits: Sequence[Tensor], actions: Tensor, masks: Tensor) -> Tensor:
    """log p of whole actions.

    Args:
        logits: normalised, one [..., n] for each part, computed with ``actions`` teacher-forced.
        actions: int [..., parts].
        masks: bool [..., parts]; a part that did not matter (size of a pen move) counts nothing.

    Returns:
        float [...].
    """
    parts = [part.gather(-1, actions[..., i : i + 1].long()).squeeze(-1) for i, part in enumerate(logits)]
    return (torch.stack(parts, dim=-1) * masks).sum(dim=-1)


def part_entropies(logits: Sequence[Tensor], masks: Tensor) -> Tensor:
    """Entropy of every part given the parts before it, in nats, [..., parts]; 0 where a part did not matter.

    ``logits`` are normalised, one [..., n] for each part.

    Their sum, averaged over sampled actions, is the entropy of the joint distribution (chain rule).
    """
    return torch.stack([-(part.exp() * part).sum(dim=-1) for part in logits], dim=-1) * masks
