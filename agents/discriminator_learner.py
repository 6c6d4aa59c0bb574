"""The discriminator learner: trains the discriminator beside the painter's learner (SPIRAL, section 3.4, figure 2b)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from spiral.agents.discriminator import Discriminator, draw_masks, score_input
from spiral.agents.image_buffer import Examples, ImageBuffer
from spiral.agents.objectives import OBJECTIVES
from spiral.config import Scoring
from spiral.datasets import load_pictures
from spiral.denormals import denormals_as_zero
from spiral.errors import SpiralError
from spiral.freed_memory import keep_freed_memory

Weights = dict[str, np.ndarray]


class Publication(NamedTuple):
    """What the discriminator learner gives out after each batch of canvases.

    version counts the batches it has trained on; metrics are means over the updates for the last one.
    """

    version: int
    weights: Weights
    metrics: dict[str, float]


class DiscriminatorLearner:
    """Owns the discriminator, its optimiser, the real pictures and the image buffer.

    A plain class: the same object runs inside the learner or, wrapped by ``ray.remote``, in a process of its own.

    Args:
        scoring: settings. Of ``data`` the training split is used; with targets a painting's real counterpart is its
            target, so those are the real pictures. ``seed`` is of the initial weights and of every draw.
        device: where it trains.

    Raises:
        InputError: the pictures cannot be read, or lack labels that the environment's classes need.
    """

    def __init__(self, scoring: Scoring, device: str | torch.device = "cpu"):
        keep_freed_memory()
        config, env, seed = scoring.discriminator, scoring.env, scoring.seed
        self.config, self._env = config, env
        self._device = torch.device(device)
        pictures = load_pictures(scoring.data, "train", **env.picture)
        self._pictures = pictures.images
        self._of_class = pictures.of_each(env.classes)
        self._objective = OBJECTIVES.get(scoring.objective.name)(scoring.objective)
        with torch.random.fork_rng(devices=[]):  # initial weights from this seed alone
            torch.manual_seed(seed)
            self._discriminator = Discriminator(config, env, self._objective.spectral).to(self._device)
        self._optimizer = torch.optim.Adam(
            self._discriminator.parameters(), lr=config.learning_rate, betas=tuple(config.betas), fused=True
        )
        self._buffer = ImageBuffer(config.buffer_size)
        self._rng = np.random.default_rng([seed, 1])
        self._generator = torch.Generator().manual_seed(seed)
        self._version = 0

    @torch.enable_grad()  # whoever calls it in-process may be scoring without
    def train(self, examples: Examples) -> Publication:
        """Take finished canvases, with what they were asked to be, into the buffer, update, publish.

        Raises:
            SpiralError: the loss or the weights are not finite any more.
        """
        self._buffer.add(examples)
        return self._learn()

    @denormals_as_zero()
    def _learn(self) -> Publication:
        """From what is in the buffer."""
        rows = [self._update() for _ in range(self.config.updates)]
        self._version += 1
        names = rows[0] if rows else ()
        publication = self.publication({name: float(np.mean([row[name] for row in rows])) for name in names})
        self._check_finite(publication)
        return publication

    @staticmethod
    def _check_finite(publication: Publication) -> None:
        """See, once for all updates of a batch of canvases, that nothing spoiled is given out or gets into a checkpoint."""
        parts = {"losses": publication.metrics.values(), "weights": publication.weights.values()}
        for part, values in parts.items():
            if not all(np.isfinite(value).all() for value in values):
                raise SpiralError(f"{part} of the discriminator are not finite, version {publication.version}")

    def _update(self) -> dict[str, float]:
        count = self.config.batch_size
        picks = self._rng.integers(len(self._pictures), size=count)
        fakes = {
            name: torch.as_tensor(x, device=self._device) for name, x in self._buffer.sample(count, self._rng).items()
        }
        targets, labels, masks = fakes.get("target"), fakes.get("label"), None
        if targets is not None and self.config.condition == "complement":
            masks = draw_masks(self.config.masks, count, self._env, self._generator).to(self._device)
        real = score_input(self._real(picks, targets, labels), targets, masks)
        fake = score_input(fakes["canvas"], targets, masks)
        loss, figures = self._objective.loss(self._discriminator, real, fake, self._generator)
        if labels is not None:
            figures["class_loss"] = -self._discriminator.log_probs(real, labels).mean()
            loss = loss + figures["class_loss"]
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return {"loss": loss.item(), **{name: value.item() for name, value in figures.items()}}

    def _real(self, picks: np.ndarray, targets: torch.Tensor | None, labels: torch.Tensor | None) -> torch.Tensor:
        """What as many fakes should have been: their targets, else pictures with their labels, else any pictures."""
        if targets is not None:
            return targets
        if labels is not None:
            members = [self._of_class[label] for label in labels.tolist()]
            picks = np.array([of[pick % len(of)] for of, pick in zip(members, picks, strict=True)])
        return torch.as_tensor(self._pictures[picks], device=self._device)

    def publication(self, metrics: dict[str, float] | None = None) -> Publication:
        """The weights as they are now."""
        return Publication(self._version, _arrays(self._discriminator.state_dict()), metrics or {})

    def set_weights(self, version: int, weights: Weights) -> None:
        """Go on from published weights, with a fresh optimiser and what is in the buffer."""
        self._version = version
        self._optimizer.state.clear()
        self._discriminator.load_state_dict(_tensors(weights))

    def get_state(self) -> dict[str, Any]:
        """All that ``set_state`` needs to go on exactly here: weights, optimiser, buffer, random state, version.

        Of the optimiser what it has learned; its learning rate and betas are settings.
        """
        moments = self._optimizer.state_dict()["state"]
        return {
            "version": self._version,
            "weights": self.publication().weights,
            "optimizer": {place: _arrays(of_parameter) for place, of_parameter in moments.items()},
            "buffer": self._buffer.get_state(),
            "rng": self._rng.bit_generator.state,
            "generator": self._generator.get_state().numpy(),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self.set_weights(state["version"], state["weights"])
        moments = {place: _tensors(of_parameter) for place, of_parameter in state["optimizer"].items()}
        self._optimizer.load_state_dict(self._optimizer.state_dict() | {"state": moments})
        self._buffer.set_state(state["buffer"])
        self._rng.bit_generator.state = state["rng"]
        self._generator.set_state(torch.as_tensor(state["generator"]))


def _arrays(tensors: dict[str, torch.Tensor]) -> Weights:
    """Copies."""
    return {name: value.cpu().numpy().copy() for name, value in tensors.items()}


def _tensors(arrays: Weights) -> dict[str, torch.Tensor]:
    """Copies, because Ray's arrays must not be written to."""
    return {name: torch.tensor(value) for name, value in arrays.items()}
