"""SPIRAL as an RLlib algorithm: ``SpiralConfig`` and ``Spiral``."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import ray
from ray.exceptions import RayActorError
from ray.rllib.algorithms.algorithm_config import NotProvided
from ray.rllib.algorithms.impala import IMPALA, IMPALAConfig
from ray.rllib.core import COMPONENT_OPTIMIZER, COMPONENT_RL_MODULE, DEFAULT_MODULE_ID
from ray.rllib.core.rl_module import RLModuleSpec
from ray.rllib.utils.metrics import WEIGHTS_SEQ_NO
from ray.tune import PlacementGroupFactory

import spiral.envs
from spiral.agents.learner import SPIRAL_STATE, SpiralLearner
from spiral.agents.module import PainterModule
from spiral.agents.objectives import OBJECTIVES, AdversarialObjective, check_objective
from spiral.agents.runner import CanvasEnvRunner
from spiral.agents.shared_discriminator import find_shared
from spiral.config import (
    DiscriminatorConfig,
    EnvConfig,
    LearnerConfig,
    ObjectiveConfig,
    PainterConfig,
    RunConfig,
    Scoring,
)
from spiral.errors import ProcessError
from spiral.metrics import METRICS
from spiral.time_limit import at_most

START_S = 600.0  # longest wait for the processes to start: a cluster may have to get machines first
PATIENCE_S = 1800.0  # for a rollout or an update: none that fits into a machine's memory takes as long
STOP_S = 30.0  # for the processes to end
LEARNED = (COMPONENT_RL_MODULE, COMPONENT_OPTIMIZER, WEIGHTS_SEQ_NO, SPIRAL_STATE)  # of a learner's state
COUNTERS = ("env_steps_sampled", "env_steps_dropped", "runner_restarts")  # RLlib's; they go on after a restoration


class SpiralConfig(IMPALAConfig):
    """RLlib configuration of SPIRAL; all that IMPALA users know works, and three methods more.

    Example::

        config = (
            SpiralConfig()
            .painting(width=32, height=32, grid=16, episode_length=6)
            .objective(name="hinge")
            .discriminator(updates=4)
            .env_runners(num_env_runners=2)
        )
        algorithm = config.build_algo()
        algorithm.train()
    """

    def __init__(self, algo_class: type | None = None):
        super().__init__(algo_class=algo_class or Spiral)
        self.data = "digits"
        self.env_settings = EnvConfig()
        self.painter_config = PainterConfig()
        self.discriminator_config = DiscriminatorConfig()
        self.objective_config = ObjectiveConfig()
        self.env_steps_budget: int | None = None

        self.env_runner_cls = CanvasEnvRunner
        self.num_env_runners = 1
        self.num_envs_per_env_runner = 256
        self.gym_env_vectorize_mode = "vector_entry_point"
        self.restart_failed_env_runners = True
        self.num_learners = 0
        # RLlib's default of 0 makes the main process ask its runners thousands of times a second, which takes a core.
        self.timeout_s_sampler_manager = 0.05
        self.min_time_s_per_iteration = None
        self.iteration_s = 1.0
        # The runners get the weights of every update; with RLlib's 1 those of every second one where updates follow
        # each other at once.
        self.broadcast_interval = 0
        self.training(**_training_settings(LearnerConfig()))
        self.painting()

    @classmethod
    def from_run(cls, run: RunConfig) -> SpiralConfig:
        """The configuration of a named run."""
        return (
            cls()
            .painting(run.env, painter=run.painter, data=run.data)
            .objective(run.objective)
            .discriminator(run.discriminator)
            .training(env_steps_budget=run.env_steps, **_training_settings(run.learner))
            .env_runners(num_env_runners=run.num_env_runners, num_envs_per_env_runner=run.num_envs)
            .learners(num_learners=run.num_learners, num_gpus_per_learner=run.num_gpus_per_learner)
            .debugging(seed=run.seed)
        )

    def painting(
        self,
        env: EnvConfig | None = None,
        *,
        painter: PainterConfig | None = None,
        data: str | None = None,
        **options: Any,
    ) -> SpiralConfig:
        """What is painted: the environment's settings (whole, or single ``options``), the painter's network, the data.

        Raises:
            TypeError: an option that ``EnvConfig`` does not have.
        """
        self.env_settings = dataclasses.replace(env or self.env_settings, **options)
        self.painter_config = painter or self.painter_config
        self.data = data or self.data
        env_config = dataclasses.asdict(self.env_settings)
        if self.env_settings.target:
            env_config["targets"] = self.data
        return self.environment(spiral.envs.ENVIRONMENT, env_config=env_config)

    def discriminator(self, config: DiscriminatorConfig | None = None, **options: Any) -> SpiralConfig:
        """The discriminator's settings, whole or single ones of ``DiscriminatorConfig``."""
        self.discriminator_config = dataclasses.replace(config or self.discriminator_config, **options)
        return self

    def objective(self, config: ObjectiveConfig | None = None, **options: Any) -> SpiralConfig:
        """The objective's settings, whole or single ones of ``ObjectiveConfig``."""
        self.objective_config = dataclasses.replace(config or self.objective_config, **options)
        return self

    def training(
        self,
        *,
        trace: float = NotProvided,
        vtrace_clip_c_threshold: float = NotProvided,
        warmup_steps: int = NotProvided,
        final_lr: float = NotProvided,
        final_entropy: float = NotProvided,
        flag_entropy: float = NotProvided,
        color_entropy: float = NotProvided,
        minibatch_episodes: int = NotProvided,
        passes: int = NotProvided,
        policy_clip: float = NotProvided,
        average: float = NotProvided,
        iteration_s: float = NotProvided,
        env_steps_budget: int | None = NotProvided,
        **kwargs: Any,
    ) -> SpiralConfig:
        """IMPALA's training settings and those of ``LearnerConfig`` that IMPALA has no name for.

        Args:
            trace: lambda of V-trace.
            vtrace_clip_c_threshold: c-bar of V-trace.
            warmup_steps: environment steps in which the learning rate rises from 0 to ``lr``.
            final_lr, final_entropy: fractions of ``lr`` and ``entropy_coeff`` at the end of the run.
            flag_entropy, color_entropy: times as large a bonus for the entropy of the part ``flag``, and of colours.
            minibatch_episodes: episodes in one optimiser step.
            passes, policy_clip: over each rollout; with several the policy's loss is clipped.
            average: decay, per rollout, of the averaged weights.
            iteration_s: least duration of an iteration. RLlib's own ``min_time_s_per_iteration`` goes by the clock on the
                wall: where that is set back, an iteration does not end before it shows the old time again.
            env_steps_budget: steps of the whole run, for the two schedules.
        """
        super().training(**kwargs)
        own = {
            "trace": trace,
            "vtrace_clip_c_threshold": vtrace_clip_c_threshold,
            "warmup_steps": warmup_steps,
            "final_lr": final_lr,
            "final_entropy": final_entropy,
            "flag_entropy": flag_entropy,
            "color_entropy": color_entropy,
            "minibatch_episodes": minibatch_episodes,
            "passes": passes,
            "policy_clip": policy_clip,
            "average": average,
            "iteration_s": iteration_s,
            "env_steps_budget": env_steps_budget,
        }
        for name, value in own.items():
            if value is not NotProvided:
                setattr(self, name, value)
        return self

    @property
    def scoring(self) -> Scoring:
        return Scoring(self.discriminator_config, self.objective_config, self.env_settings, self.data, self.seed or 0)

    @property
    def has_discriminator(self) -> bool:
        """Whether canvases are scored by a discriminator, rather than by the targets alone."""
        return issubclass(OBJECTIVES.get(self.objective_config.name), AdversarialObjective)

    def validate(self) -> None:
        if self.grad_clip is not None and self.grad_clip_by != "global_norm":
            self._value_error(
                f"gradients are clipped by their global norm only, got grad_clip_by={self.grad_clip_by!r}"
            )
        check_objective(self.objective_config.name, self.env_settings)
        # One rollout, all canvases of a runner painted to the end, is one train batch.
        self.rollout_fragment_length = self.env_settings.episode_length
        self.train_batch_size_per_learner = self.num_envs_per_env_runner * self.env_settings.episode_length
        # One runner is sent its weights, which costs less. Several fetch them from a server when they begin: those sent
        # while they painted would be as old as that rollout.
        self.use_env_runner_state_server = self.num_env_runners > 1
        if self.min_sample_timesteps_per_iteration == 0:
            # An iteration without a sample has no metrics, which ends a Tune trial.
            self.min_sample_timesteps_per_iteration = self.train_batch_size_per_learner
        super().validate()

    def get_default_rl_module_spec(self) -> RLModuleSpec:
        return RLModuleSpec(
            module_class=PainterModule,
            model_config={
                "painter": dataclasses.asdict(self.painter_config),
                "env": dataclasses.asdict(self.env_settings),
            },
        )

    def get_default_learner_class(self) -> type:
        return SpiralLearner


def _training_settings(learner: LearnerConfig) -> dict[str, Any]:
    """``LearnerConfig`` under the names of ``SpiralConfig.training``, which are RLlib's where it has one."""
    return {
        "lr": learner.learning_rate,
        "warmup_steps": learner.warmup_steps,
        "final_lr": learner.final_learning_rate,
        "entropy_coeff": learner.entropy,
        "final_entropy": learner.final_entropy,
        "flag_entropy": learner.flag_entropy,
        "color_entropy": learner.color_entropy,
        "vf_loss_coeff": learner.value,
        "gamma": learner.discount,
        "trace": learner.trace,
        "vtrace_clip_rho_threshold": learner.rho_clip,
        "vtrace_clip_c_threshold": learner.c_clip,
        "grad_clip": learner.gradient_clip,
        "minibatch_episodes": learner.minibatch,
        "passes": learner.passes,
        "policy_clip": learner.policy_clip,
        "average": learner.average,
    }


class Spiral(IMPALA):
    """IMPALA with a discriminator that learns beside the painter. RLlib's own ``training_step`` runs it.

    With ``num_learners >= 1`` updates are asynchronous and RLlib drops what a busy learner cannot take. Here rollouts
    wait instead, and no new ones are asked for while any wait: nothing is dropped, and the policy lag stays bounded.

    A run's checkpoint is ``run_state`` in a file that cannot run code. RLlib's own ``save_to_path`` works as well, and
    Ray Tune uses it; what it writes is pickled, so restore it only where you trust whoever wrote it.
    """

    @classmethod
    def get_default_config(cls) -> SpiralConfig:
        return SpiralConfig()

    def setup(self, config: SpiralConfig) -> None:
        self._waiting: deque[list] = deque()  # train batches no learner has room for yet
        self._counted = self._counted_before = dict.fromkeys(COUNTERS, 0.0)
        if config.has_discriminator and config.discriminator_config.shared:  # or learners elsewhere would die of it
            find_shared(config.scoring)
        with at_most(START_S, self._not_started):
            super().setup(config)

    def _not_started(self) -> str:
        asked, there = self.default_resource_request(self.config.to_dict()).required_resources, ray.cluster_resources()
        needs = (f"{asked[kind]:g} {kind}s, of which Ray has {there.get(kind, 0):g}" for kind in asked)
        return f"the run's processes did not start in {START_S:.0f} s: they need {' and '.join(needs)}"

    def step(self) -> dict[str, Any]:
        with self._answers():
            return super().step()

    def training_step(self) -> None:
        until = time.monotonic() + self.config.iteration_s
        super().training_step()
        while time.monotonic() < until:
            super().training_step()

    def cleanup(self) -> None:
        with contextlib.suppress(ProcessError), at_most(STOP_S, str):  # who gives no answer is ended with Ray
            super().cleanup()

    @contextlib.contextmanager
    def _answers(self) -> Iterator[None]:
        """For a block that waits for other processes.

        Raises:
            ProcessError: no rollout or update comes any more, or a learner's process died.
        """
        try:
            with at_most(PATIENCE_S, self._silence):
                yield
        except RayActorError as error:  # of runners RLlib takes care itself
            raise ProcessError("a learner's process died (is memory short?)") from error

    def _silence(self) -> str:
        said = f"no rollout and no update in {PATIENCE_S:.0f} s"
        if lost := self._runners_lost():
            said += f": {lost} of {self.config.num_env_runners} runners died and did not come back (is memory short?)"
        return said

    @classmethod
    def default_resource_request(cls, config) -> PlacementGroupFactory:
        request = super().default_resource_request(config)
        spiral_config = cls.get_default_config().update_from_dict(config)
        settings = spiral_config.discriminator_config
        if settings.shared or not (settings.remote and spiral_config.has_discriminator):
            return request
        bundle = {"CPU": settings.num_cpus, "GPU": settings.num_gpus}
        of_learners = max(1, spiral_config.num_learners) * [bundle]
        return PlacementGroupFactory([*request.bundles, *of_learners], strategy=request.strategy)

    def _busy_updates(self, timeout: float = 0.0) -> int:
        """Updates that the busiest learner has not finished; with a timeout, wait that long for one to finish."""
        learner_of = dict(self.learner_group._worker_manager._in_flight_req_to_actor_id)
        if not learner_of:
            return 0
        finished = 1 if timeout else len(learner_of)
        unfinished = ray.wait(list(learner_of), num_returns=finished, timeout=timeout)[1]
        return max(Counter(learner_of[request] for request in unfinished).values(), default=0)

    def _pre_queue_episode_refs(self, episode_refs: list, package_size: int) -> list[list]:
        packages = super()._pre_queue_episode_refs(episode_refs, package_size)
        if not self.config.num_learners:
            return packages
        self._waiting.extend(packages)
        # RLlib drops an update for a learner that is full. The others, which got it, would wait for that one for ever.
        room = self.config.max_requests_in_flight_per_learner - self._busy_updates()
        return [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]

    def _sample_and_get_connector_states(self) -> tuple[list, list, list, set]:
        if self._waiting:
            self._busy_updates(timeout=self.config.timeout_s_sampler_manager)
            return [], [], [], set()
        if self.config.num_env_runners and not self.env_runner_group.num_healthy_remote_workers():
            # RLlib would paint in this process, which has no canvases; Ray is starting new runners.
            time.sleep(self.config.timeout_s_sampler_manager)
            return [], [], [], set()
        return super()._sample_and_get_connector_states()

    def set_progress(self, progress: float) -> None:
        """Tell the learners how much of the run's time is over, 0..1."""
        self._ask_learners(lambda learner: learner.set_progress(progress))

    def average_weights(self) -> dict[str, Any]:
        """The painter's averaged weights, name -> numpy array."""
        return self._ask_learners(lambda learner: learner.average_weights())[0]

    def _ask_learners(self, question: Callable[[SpiralLearner], Any]) -> list[Any]:
        """What each learner answers, in their order.

        Raises:
            Exception: what was raised there.
            ProcessError: one gives no answer, or its process died.
        """
        with self._answers():
            results = self.learner_group.foreach_learner(lambda learner: (learner._learner_index, question(learner)))
            for result in results:
                if not result.ok:
                    raise result.get()
        return [answer for _, answer in sorted((result.get() for result in results), key=itemgetter(0))]

    def train_metrics(self) -> dict[str, float]:
        """Train for an iteration (about a second); its figures by their names in ``spiral.metrics.METRICS``."""
        result = self.train()
        learner = result.get("learners", {}).get(DEFAULT_MODULE_ID, {})
        figures = {name: float(value) for name, value in learner.items() if name in METRICS}
        # RLlib gives NaN for what was not logged in this iteration, in which no learner may have finished an update.
        figures = {name: value for name, value in figures.items() if not math.isnan(value)}
        counts = (
            result.get("num_env_steps_sampled_lifetime", 0),
            result.get("learner_group", {}).get("learner_group_ts_dropped_lifetime", 0),
            result.get("fault_tolerance", {}).get("num_remote_worker_restarts", 0),
        )
        before = self._counted_before
        self._counted = {name: before[name] + float(count) for name, count in zip(COUNTERS, counts, strict=True)}
        return figures | self._counted | {"runners_lost": float(self._runners_lost())}

    def _runners_lost(self) -> int:
        return self.env_runner_group.num_remote_workers() - self.env_runner_group.num_healthy_remote_workers()

    def run_state(self) -> dict[str, Any]:
        """All that a run needs to go on from here, for ``spiral.state_file``: dicts, lists, numbers and arrays."""
        first, *others = self._ask_learners(lambda learner: learner.get_state())
        for other in others:  # their painters are the same
            first[SPIRAL_STATE]["learners"] += other[SPIRAL_STATE]["learners"]
        return {"learner": {name: first[name] for name in LEARNED}, "counters": self._counted}

    def set_run_state(self, state: dict[str, Any]) -> None:
        """Go on from a ``run_state``.

        Raises:
            Exception: it is of other settings.
        """
        # Not by RLlib's own set_state, which takes no notice of what fails in learners of other processes.
        learned = ray.put(state["learner"])
        # A copy: optimisers write to what they are given, and arrays from Ray's store must not be written to.
        self._ask_learners(lambda learner: learner.set_state(copy.deepcopy(ray.get(learned))))
        with self._answers():
            self.env_runner_group.sync_weights(from_worker_or_learner_group=self.learner_group, inference_only=True)
        self._counted = self._counted_before = state["counters"]


def resources_of(run: RunConfig) -> PlacementGroupFactory:
    """What a run asks Ray for."""
    return Spiral.default_resource_request(SpiralConfig.from_run(run))
