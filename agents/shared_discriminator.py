"""One discriminator for all members of a population (SPIRAL++): its process, who starts it, and a member's end of it."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import ray
import torch
from ray.actor import ActorHandle

from spiral.agents.discriminator_learner import DiscriminatorLearner, Publication, Weights
from spiral.agents.discriminator_link import DiscriminatorLink, answer, start_process
from spiral.agents.image_buffer import Examples
from spiral.agents.newest_canvases import NewestCanvases
from spiral.config import Scoring
from spiral.errors import InputError

NAMESPACE = "spiral"  # of Ray, so that members in other jobs find it
# Settings of discriminator and objective that a member may choose for itself: when and how it uses the scores.
MEMBERS_OWN = ("discriminator.max_lag", "objective.reward", "objective.spread_floor", "objective.label_weight")


def common_settings(scoring: Scoring) -> dict[str, Any]:
    """What is the same for all who share a discriminator, by dotted key."""
    env = scoring.env
    groups = {"discriminator": scoring.discriminator, "objective": scoring.objective}
    settings = {
        f"{group}.{name}": value for group, of in groups.items() for name, value in dataclasses.asdict(of).items()
    }
    settings |= {f"env.{name}": getattr(env, name) for name in (*env.picture, "target", "classes")}
    settings["data"] = scoring.data
    return {name: value for name, value in settings.items() if name not in MEMBERS_OWN}


class SharedDiscriminatorLearner(DiscriminatorLearner):
    """A discriminator learner that several painters' learners send their canvases to.

    Every rollout, of whichever member, brings ``updates`` steps on as many canvases of each member. Ray serves the
    calls in the order they come in, and a member has no more than ``max_lag`` + 1 of them under way: a fast one
    keeps no slow one waiting.

    Args:
        scoring, device: of the ``DiscriminatorLearner``.
    """

    def __init__(self, scoring: Scoring, device: str | torch.device = "cpu"):
        super().__init__(scoring, device)
        self._settings = common_settings(scoring)
        self._buffer = NewestCanvases()

    def settings(self) -> dict[str, Any]:
        """Those that every member must have too."""
        return self._settings

    def train(self, examples: Examples, member: str, known: int) -> Publication:
        """Take a member's finished canvases in place of its last ones, update, publish.

        Args:
            examples: the canvases, with what they were asked to be.
            member: whose they are.
            known: newest version the member has weights of. This process has died since where it is not so far: then
                it learns nothing, and its publication says so by its version.

        Raises:
            SpiralError: the loss or the weights are not finite any more.
        """
        if self._version < known:
            return self.publication()
        self._buffer.add(member, examples)
        return self._learn()

    def set_weights(self, version: int, weights: Weights) -> None:
        """Go on from published weights, unless it is as far already: every member brings back the newest it has."""
        if version > self._version:
            super().set_weights(version, weights)

    def leave(self, member: str) -> None:
        """Learn no more from the canvases of a member that stops."""
        self._buffer.forget(member)

    def get_state(self) -> dict[str, Any]:
        """As of the ``DiscriminatorLearner``.

        Raises:
            SpiralError: the weights are not finite any more.
        """
        self._check_finite(self.publication())
        return super().get_state()


class SharedDiscriminator:
    """The discriminator of a population, in the hands of whoever starts it; it ends with them.

    Members find it by its name (``discriminator.shared``). They may come, stop and die. A checkpoint of a member does
    not hold it, so that none can set it back: ``get_state`` is for the checkpoint of the whole population.

    Args:
        scoring: of its members.
        name: what its members call it.
        state: of ``get_state``, to go on from.

    Raises:
        InputError: another one of this name runs.
        SpiralError: it cannot be started.
    """

    def __init__(self, scoring: Scoring, name: str, state: dict[str, Any] | None = None):
        self._config = dataclasses.replace(scoring.discriminator, shared=name)
        scoring = dataclasses.replace(scoring, discriminator=self._config)
        try:
            self._actor = start_process(SharedDiscriminatorLearner, scoring, name=name, namespace=NAMESPACE)
        except ValueError:
            raise InputError(f"a shared discriminator {name!r} runs already; choose another name") from None
        if state is not None:
            self._ask("set_state", state)
        self._newest: Publication = self._ask("publication")

    def get_state(self) -> dict[str, Any]:
        """All that it needs to go on exactly here, for ``spiral.state_file``.

        Raises:
            SpiralError: it gives no answer any more, or its weights are not finite.
        """
        while (state := self._ask("get_state"))["version"] < self._newest.version:
            # Its process has died, and no member has brought back its weights yet.
            self._ask("set_weights", self._newest.version, self._newest.weights)
        self._newest = Publication(state["version"], state["weights"], {})
        return state

    def _ask(self, method: str, *args: Any) -> Any:
        return answer(getattr(self._actor, method).remote(*args), self._config, _called(self._config.shared))

    def stop(self) -> None:
        """End it."""
        ray.kill(self._actor)


def find_shared(scoring: Scoring) -> ActorHandle:
    """The discriminator that these settings share.

    Raises:
        InputError: none of its name runs, or it was started with other settings.
    """
    name = scoring.discriminator.shared
    try:
        actor = ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        raise InputError(
            f"no shared discriminator {name!r} runs on this Ray; `spiral tune --shared-discriminator` starts one for its "
            "runs; leave discriminator.shared out, and the run has its own"
        ) from None
    there = answer(actor.settings.remote(), scoring.discriminator, _called(name))
    for key, here in common_settings(scoring).items():
        if there[key] != here:
            raise InputError(
                f"{_called(name)} was started with {key}={there[key]!r}, got {here!r}; set it as there, or leave "
                "discriminator.shared out"
            )
    return actor


def _called(name: str) -> str:
    return f"the shared discriminator {name!r}"


class SharedDiscriminatorLink(DiscriminatorLink):
    """A member's end of the wire to the discriminator that it shares.

    Args:
        scoring: of the ``DiscriminatorLearner``; ``discriminator.shared`` is its name, and it has a seed of its own.
        device: not needed: it has its own.

    Raises:
        InputError: none of this name runs, or it was started with other settings.
    """

    def _connect(self, scoring: Scoring, device: str | torch.device) -> tuple[ActorHandle, None]:
        self._who = _called(self.config.shared)
        self._member = uuid.uuid4().hex
        return find_shared(scoring), None

    def _send(self, examples: Examples) -> ray.ObjectRef:
        return self._actor.train.remote(examples, self._member, self._latest.version)

    def get_state(self) -> dict[str, Any]:
        """Not that of the discriminator, which whoever started it keeps."""
        return {"restarts": self.restarts}

    def set_state(self, state: dict[str, Any]) -> None:
        self.restarts = state["restarts"]

    def stop(self) -> None:
        """Leave it to the others."""
        if self._actor is not None:
            self._actor.leave.remote(self._member)
            self._actor = None
