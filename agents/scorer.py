"""The scorer: what canvases are worth to the painter's learner, by a discriminator that learns or by the target alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from spiral.agents.discriminator import Discriminator, draw_masks, score_input
from spiral.agents.discriminator_link import DiscriminatorLink
from spiral.agents.image_buffer import Examples
from spiral.agents.objectives import OBJECTIVES, TargetObjective
from spiral.agents.shared_discriminator import SharedDiscriminatorLink
from spiral.config import Scoring

Figures = dict[str, float]


class TargetScorer:
    """By a ``TargetObjective``. Nothing is learned, so there is no state either."""

    def __init__(self, objective: TargetObjective):
        self._objective = objective

    def learn(self, examples: Examples) -> Figures:
        return {}

    def score(self, canvases: Tensor, task: dict[str, Tensor]) -> Tensor:
        return self._objective.score(canvases, task["target"])

    def get_state(self) -> dict[str, Any]:
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        pass

    def stop(self) -> None:
        pass


class DiscriminatorScorer:
    """By the newest published weights of a discriminator.

    Args:
        scoring: of the ``DiscriminatorLearner``.
        device: where it scores, and learns if it is not remote.
    """

    def __init__(self, scoring: Scoring, device: torch.device):
        config, env = scoring.discriminator, scoring.env
        self._config, self._env, self._device = config, env, device
        self._label_weight = scoring.objective.label_weight
        spectral = OBJECTIVES.get(scoring.objective.name).spectral
        self._discriminator = Discriminator(config, env, spectral).to(device).eval()
        kind = SharedDiscriminatorLink if config.shared else DiscriminatorLink
        self._link = kind(scoring, device)
        self._version = 0

    def learn(self, examples: Examples) -> Figures:
        """Send finished canvases to the discriminator's learner, and score with its newest weights from now on."""
        publication = self._link.exchange(examples)
        self._version = publication.version
        weights = {name: torch.tensor(value) for name, value in publication.weights.items()}  # Ray's are read-only
        self._discriminator.load_state_dict(weights)
        return {f"discriminator/{name}": value for name, value in publication.metrics.items()} | {
            "discriminator_lag": self._link.lag,
            "discriminator_restarts": self._link.restarts,
        }

    def score(self, canvases: Tensor, task: dict[str, Tensor]) -> Tensor:
        """Scores [N] of canvases uint8 [N, H, W, C] painted for these tasks.

        A discriminator of complements sees each canvas twice, what one mask shows and what it hides; between two calls
        of ``learn`` the masks stay the same.
        """
        targets, labels = task.get("target"), task.get("label")
        if targets is None or self._config.condition == "pair":
            return self._scores(score_input(canvases, targets), labels)
        generator = torch.Generator(self._device).manual_seed(self._version)
        masks = draw_masks(self._config.masks, len(canvases), self._env, generator)
        both = [self._scores(score_input(canvases, targets, seen), labels) for seen in (masks, ~masks)]
        return torch.stack(both).mean(dim=0)

    def _scores(self, x: Tensor, labels: Tensor | None) -> Tensor:
        """How real it looks and, where there is a label, how surely it is of that class."""
        scores = self._discriminator(x)
        if labels is None or not self._label_weight:
            return scores
        return scores + self._label_weight * self._discriminator.log_probs(x, labels)

    def get_state(self) -> dict[str, Any]:
        return self._link.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        self._link.set_state(state)

    def stop(self) -> None:
        """End the discriminator's process, if it has one of its own."""
        self._link.stop()


Scorer = TargetScorer | DiscriminatorScorer


def make_scorer(scoring: Scoring, device: torch.device) -> Scorer:
    """The scorer these settings ask for; arguments as of ``DiscriminatorScorer``."""
    kind = OBJECTIVES.get(scoring.objective.name)
    if issubclass(kind, TargetObjective):
        return TargetScorer(kind(scoring.objective))
    return DiscriminatorScorer(scoring, device)
