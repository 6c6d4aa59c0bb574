"""The learner's end of the wire to the discriminator learner: canvases go out, versioned weights come back."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import ray
import torch
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError

from spiral.agents.discriminator_learner import DiscriminatorLearner, Publication
from spiral.agents.image_buffer import Examples
from spiral.config import DiscriminatorConfig, Scoring
from spiral.errors import ProcessError, SpiralError
from spiral.time_limit import at_most

logger = logging.getLogger(__name__)

WAIT_S = 300.0  # longest wait for one batch of discriminator updates


def start_process(kind: type[DiscriminatorLearner], scoring: Scoring, **options: Any) -> ActorHandle:
    """A discriminator learner in a process of its own, where and as large as its settings say.

    Ray starts a dead process again and repeats the calls it did not answer. Such a process begins at version 0, by
    which we know it and give it the newest published weights.

    Args:
        kind: of learner.
        scoring: its settings.
        options: of Ray.
    """
    config = scoring.discriminator
    process = ray.remote(kind).options(
        num_cpus=config.num_cpus, num_gpus=config.num_gpus, max_restarts=-1, max_task_retries=-1, **options
    )
    return process.remote(scoring, device="cuda" if config.num_gpus else "cpu")


def answer(reference: ray.ObjectRef, config: DiscriminatorConfig, who: str) -> Any:
    """What a discriminator learner answers.

    Raises:
        SpiralError: what was raised there; or no answer came in ``WAIT_S``, or none can come any more.
    """

    def silence() -> str:
        return (
            f"{who} gave no answer in {WAIT_S:.0f} s; is Ray short of CPUs or GPUs for it "
            f"(it asks for {config.num_cpus:g} and {config.num_gpus:g})?"
        )

    try:
        with at_most(WAIT_S, silence, waiting_for=who):
            return ray.get(reference)
    except RayActorError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ProcessError(f"{who} ended and cannot be started again ({reason})") from error
    except RayTaskError as error:
        cause = error.cause
        raise cause if isinstance(cause, SpiralError) else error from None


class DiscriminatorLink:
    """Keeps the discriminator learner busy and hands out the weights to score with.

    The weights for rollout i are always those published after rollout i - max_lag. That bounds the lag, and makes
    it the same whichever process happens to be faster: in a process of its own (``config.remote``) or inside the
    learner, the run is bit for bit the same.

    Args:
        scoring: of the ``DiscriminatorLearner``.
        device: where it trains if it is not remote.
    """

    _who = "the discriminator's process"  # in messages

    def __init__(self, scoring: Scoring, device: str | torch.device):
        self.config = scoring.discriminator
        self._actor, self._local = self._connect(scoring, device)  # one of them is None
        self._pending: deque = deque()  # publications, or references to them, newest last
        self._newest: Publication = self._call("publication")  # to score with
        self._latest = self._newest  # the last one resolved: what a new process goes on from
        self.restarts = 0

    def _connect(
        self, scoring: Scoring, device: str | torch.device
    ) -> tuple[ActorHandle | None, DiscriminatorLearner | None]:
        if self.config.remote:
            return start_process(DiscriminatorLearner, scoring), None
        return None, DiscriminatorLearner(scoring, device)

    @property
    def lag(self) -> int:
        """Rollouts sent that the newest resolved publication has not been trained on."""
        return len(self._pending)

    def exchange(self, examples: Examples) -> Publication:
        """Send finished canvases, with what they were asked to be; the publication to score them with."""
        self._pending.append(self._send(examples))
        while len(self._pending) > self.config.max_lag:
            self._newest = self._resolve(self._pending.popleft())
        return self._newest

    def _send(self, examples: Examples) -> Publication | ray.ObjectRef:
        return self._local.train(examples) if self._actor is None else self._actor.train.remote(examples)

    def _resolve(self, publication: Publication | ray.ObjectRef) -> Publication:
        if isinstance(publication, ray.ObjectRef):
            publication = self._get(publication)
            if publication.version <= self._latest.version:
                self._bring_back()
                return self._latest
        self._latest = publication
        return publication

    def _bring_back(self) -> None:
        """Have a process that was started again go on from the newest weights there are."""
        logger.warning("The discriminator's process died; it goes on from version %d.", self._latest.version)
        self.restarts += 1
        self._pending.clear()  # trained by the new process before it has the weights
        self._call("set_weights", self._latest.version, self._latest.weights)

    def _call(self, method: str, *args) -> Any:
        if self._actor is None:
            return getattr(self._local, method)(*args)
        return self._get(getattr(self._actor, method).remote(*args))

    def _get(self, reference: ray.ObjectRef) -> Any:
        return answer(reference, self.config, self._who)

    def get_state(self) -> dict[str, Any]:
        """The discriminator learner's state and the publications still to be scored with."""
        settled: deque = deque()
        while self._pending:
            settled.append(self._resolve(self._pending.popleft()))
        self._pending = settled
        learner = self._call("get_state")
        if learner["version"] < self._latest.version:
            self._bring_back()
            learner = self._call("get_state")
        return {
            "learner": learner,
            "newest": tuple(self._newest),
            "pending": [tuple(publication) for publication in self._pending],
            "restarts": self.restarts,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self._call("set_state", state["learner"])
        self._newest = Publication(*state["newest"])
        self._pending = deque(Publication(*publication) for publication in state["pending"])
        self._latest = self._pending[-1] if self._pending else self._newest
        self.restarts = state["restarts"]

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._actor is not None:
            ray.kill(self._actor)
            self._actor = None
