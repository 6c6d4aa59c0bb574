"""The painter's learner: rollouts in, rewards by the objective, V-trace, one optimiser step for each minibatch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import ray
import torch
from ray.rllib.core import COMPONENT_RL_MODULE, DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.core.rl_module.apis import ValueFunctionAPI
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional as F
from torch.optim.swa_utils import get_ema_multi_avg_fn

from spiral.agents.rewards import RewardScale, difference_rewards, final_rewards
from spiral.agents.rollout import Rollout
from spiral.agents.scorer import Scorer, make_scorer
from spiral.agents.vtrace import clipped, normalized, vtrace
from spiral.denormals import denormals_as_zero
from spiral.envs.actions import COLOR_PARTS
from spiral.errors import SpiralError
from spiral.freed_memory import keep_freed_memory

SPIRAL_STATE = "spiral"  # what this learner's state holds beside RLlib's


class SpiralLearner(TorchLearner):
    """RLlib learner for paintings.

    Unlike RLlib's IMPALA learner it updates in the calling thread: rollouts come as dense arrays, so there is no
    batch-making to overlap with, and a failure in an update is raised where the update was asked for.
    """

    _scorer: Scorer | None = None

    def build(self) -> None:
        keep_freed_memory()
        config = self.config
        with torch.random.fork_rng(devices=[]):  # initial weights from the run's seed alone
            torch.manual_seed(config.seed or 0)
            super().build()
        if not config.num_learners and self._device.type == "cpu":
            # In the main process torch would take every core, beside runners and discriminator that have them.
            torch.set_num_threads(1)
        self._scorer = make_scorer(config.scoring, self._device)
        self._scale = RewardScale(config.objective_config.spread_floor)
        painter = self._painter_module.painter
        self._weights = painter.state_dict()  # live: every change is made in place
        weight_of = {"flag": config.flag_entropy} | dict.fromkeys(COLOR_PARTS, config.color_entropy)
        weights = [weight_of.get(part, 1.0) for part in painter.table.parts]
        self._entropy_weights = torch.tensor(weights, device=self._device)
        self._average = {name: value.clone() for name, value in self._weights.items()}
        self._updates = 0
        self._env_steps = 0
        self._progress = 0.0

    @property
    def _painter_module(self):
        return self.module[DEFAULT_MODULE_ID].unwrapped()

    # -- schedule ---------------------------------------------------------------------------------------------------

    def set_progress(self, progress: float) -> None:
        """Tell how much of the run's time is over, 0..1, for a run that is limited by time."""
        self._progress = progress

    @property
    def progress(self) -> float:
        """How much of the run is over, 0..1: of its steps or its time, whichever is further."""
        budget = self.config.env_steps_budget
        return min(1.0, max(self._progress, self._env_steps / budget if budget else 0.0))

    def _scheduled(self, value: float, final: float) -> float:
        return value * (1 + (final - 1) * self.progress)

    # -- update -----------------------------------------------------------------------------------------------------

    @denormals_as_zero()
    def update(self, training_data=None, *, timesteps=None, return_state: bool = False, **kwargs) -> dict[str, Any]:
        """One pass over the rollouts. ``{}`` where a learner has none (its runner died before they were fetched)."""
        training_data.solve_refs()
        if not self._all_learners_have(training_data.episodes):
            return {}
        results = super().update(training_data=training_data, timesteps=timesteps)
        if return_state:
            state = self.get_state(components=f"{COMPONENT_RL_MODULE}/{DEFAULT_MODULE_ID}", inference_only=True)
            state[COMPONENT_RL_MODULE] = ray.put(state[COMPONENT_RL_MODULE])
            results["_rl_module_state_after_update"] = state
        return results

    def _all_learners_have(self, rollouts: list[Rollout]) -> bool:
        """Whether all can update: each waits for the gradients of the others, and would for ever where one has none."""
        least = torch.tensor(len(rollouts), device=self._device)
        if self.distributed:
            dist.all_reduce(least, dist.ReduceOp.MIN)
        return bool(least)

    def _create_iterator_if_necessary(self, *, training_data, **kwargs) -> Iterator[MultiAgentBatch]:
        """Minibatches of whole episodes, rewards attached."""
        for rollout in training_data.episodes:
            rewards = self._rewards(rollout)
            self._env_steps += len(rollout) * max(1, self.config.num_learners)  # the others have as many
            self._log("policy_lag", self._weights_seq_no - 1 - rollout.weights_seq_no)
            episodes, steps = rollout.log_probs.shape
            constants = {name: value.unsqueeze(1) for name, value in self._tensors(rollout.constants).items()}
            columns = {
                Columns.OBS: self._tensors(rollout.observations) | constants,
                Columns.ACTIONS: self._tensor(rollout.actions).long(),
                Columns.ACTION_LOGP: self._tensor(rollout.log_probs),
                Columns.REWARDS: rewards,
            }
            starts = range(0, episodes, self.config.minibatch_episodes)
            batches = [_rows(columns, slice(start, start + self.config.minibatch_episodes)) for start in starts]
            for batch in self.config.passes * batches:
                yield MultiAgentBatch({DEFAULT_MODULE_ID: batch}, env_steps=len(batch[Columns.REWARDS]) * steps)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.tensor(array, device=self._device)  # a copy: arrays from Ray's store must not be written to

    def _tensors(self, arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
        return {name: self._tensor(array) for name, array in arrays.items()}

    @torch.no_grad()
    def _rewards(self, rollout: Rollout) -> Tensor:
        """Rewards [N, T] of a rollout: the environment's own and the objective's."""
        figures = self._scorer.learn({"canvas": rollout.finals} | rollout.task)
        task = self._tensors(rollout.task)
        scores = self._scorer.score(self._tensor(rollout.finals), task)
        self._scale.update(scores, figures.get("discriminator/gap", 0.0))
        for name, value in figures.items():
            (self._count if name == "discriminator_restarts" else self._log)(name, value)
        self._log("score_mean", scores.mean())
        self._log("score_std", scores.std(correction=0))
        steps = rollout.log_probs.shape[1]
        if self.config.objective_config.reward == "difference":
            # One step's canvases at a time: those of long episodes together would take more memory than all else.
            earlier = [
                self._scorer.score(self._tensor(rollout.observations["canvas"][:, t]), task) for t in range(steps)
            ]
            rewards = difference_rewards(torch.stack([*earlier, scores], dim=1), self._scale)
        else:
            rewards = final_rewards(scores, steps, self._scale)
        rewards = rewards + self._tensor(rollout.rewards)
        if not torch.isfinite(rewards).all():
            raise SpiralError(f"rewards of the painter are not finite, update {self._updates}")
        return rewards

    def compute_loss_for_module(self, *, module_id, config, batch, fwd_out) -> Tensor:
        """V-trace policy gradient, clipped in several passes; Huber value loss; entropy bonus; all means over steps."""
        module = self._painter_module
        actions = batch[Columns.ACTIONS]
        distribution = module.get_train_action_dist_cls().from_logits(fwd_out[Columns.ACTION_DIST_INPUTS])
        log_probs = distribution.logp(actions)
        values = module.compute_values(batch, embeddings=fwd_out[Columns.EMBEDDINGS])
        log_rhos = log_probs - batch[Columns.ACTION_LOGP]
        if Columns.ADVANTAGES not in batch:  # in the first pass; those that follow go on from what it found
            targets, advantages = vtrace(
                log_rhos.detach(),
                batch[Columns.REWARDS],
                values.detach(),
                discount=config.gamma,
                trace=config.trace,
                rho_clip=config.vtrace_clip_rho_threshold,
                c_clip=config.vtrace_clip_c_threshold,
            )
            batch[Columns.VALUE_TARGETS], batch[Columns.ADVANTAGES] = targets, normalized(advantages)
        advantages = batch[Columns.ADVANTAGES]
        gains = advantages * log_probs if config.passes == 1 else clipped(log_rhos, advantages, config.policy_clip)
        policy_loss = -gains.mean()
        value_loss = F.huber_loss(values, batch[Columns.VALUE_TARGETS])
        entropies = distribution.part_entropies(actions).mean(dim=(0, 1))
        entropy = (self._entropy_weights * entropies).sum()

        for part, value in zip(module.painter.table.parts, entropies.detach()):
            self._log(f"entropy/{part}", value)
        self._log("policy_loss", policy_loss.detach())
        self._log("value_loss", value_loss.detach())
        self._log("rho_mean", log_rhos.detach().exp().mean())
        return (
            policy_loss
            + config.vf_loss_coeff * value_loss
            - self._scheduled(config.entropy_coeff, config.final_entropy) * entropy
        )

    def _log(self, name: str, value) -> None:
        """A figure of this update; an iteration reports the mean of its updates'."""
        self.metrics.log_value((DEFAULT_MODULE_ID, name), value, window=1)

    def _count(self, name: str, value: int) -> None:
        """A number that only grows; an iteration reports it as it is at its end."""
        self.metrics.log_value((DEFAULT_MODULE_ID, name), value, reduce="max")

    def configure_optimizers_for_module(self, module_id, config=None) -> None:
        parameters = self.get_parameters(self.module[module_id])
        # RLlib's own learner leaves eps at 1e-8, which makes the first steps of rarely chosen cells enormous.
        optimizer = torch.optim.Adam(parameters, lr=config.lr, eps=1e-5, fused=True)
        self.register_optimizer(
            module_id=module_id, optimizer=optimizer, params=parameters, lr_or_lr_schedule=config.lr
        )

    # RLlib's own three look at every gradient four times, one tensor after the other: a tenth of an update.

    def compute_gradients(self, loss_per_module, **kwargs) -> dict:
        self.get_optimizer(DEFAULT_MODULE_ID).zero_grad(set_to_none=True)
        loss_per_module[DEFAULT_MODULE_ID].backward()
        return {}  # they stay at their parameters

    def postprocess_gradients(self, gradients_dict: dict) -> dict:
        return gradients_dict

    def apply_gradients(self, gradients_dict: dict) -> None:
        limit = math.inf if self.config.grad_clip is None else self.config.grad_clip
        norm = nn.utils.clip_grad_norm_(self._painter_module.parameters(), limit)
        if not torch.isfinite(norm):
            raise SpiralError(f"gradients of the painter are not finite, update {self._updates}")
        self.get_optimizer(DEFAULT_MODULE_ID).step()
        self._log("gradient_norm", norm)

    def before_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        super().before_gradient_based_update(timesteps=timesteps)
        warmup = min(1.0, self._env_steps / self.config.warmup_steps) if self.config.warmup_steps else 1.0
        self._learning_rate = warmup * self._scheduled(self.config.lr, self.config.final_lr)
        self._set_optimizer_lr(self.get_optimizer(DEFAULT_MODULE_ID), self._learning_rate)

    def after_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        # Not RLlib's own: it would set the learning rate back to its schedule, by sampled steps.
        self._updates += 1
        decay = min(self.config.average, (1 + self._updates) / (10 + self._updates))
        average, weights = list(self._average.values()), list(self._weights.values())
        get_ema_multi_avg_fn(decay)(average, weights, self._updates)
        self._log("learning_rate", self._learning_rate)
        self._count("env_steps_trained", self._env_steps)

    def average_weights(self) -> dict[str, np.ndarray]:
        """The painter's averaged weights: what paints, is evaluated and is shipped."""
        return {name: value.cpu().numpy().copy() for name, value in self._average.items()}

    # -- state ------------------------------------------------------------------------------------------------------

    def get_state(self, components=None, *, not_components=None, **kwargs) -> dict[str, Any]:
        state = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(SPIRAL_STATE, components, not_components):
            own = {
                "scorer": self._scorer.get_state(),
                "scale": self._scale.get_state(),
                "env_steps": self._env_steps,
            }
            state[SPIRAL_STATE] = {"average": self.average_weights(), "updates": self._updates, "learners": [own]}
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        spiral_state = state.get(SPIRAL_STATE)
        if spiral_state is not None:
            self._average, self._updates = self._tensors(spiral_state["average"]), spiral_state["updates"]
            # Each learner has a discriminator of its own; learners that have been added begin with another one's.
            own = spiral_state["learners"][self._learner_index % len(spiral_state["learners"])]
            self._scorer.set_state(own["scorer"])
            self._scale.set_state(own["scale"])
            self._env_steps = own["env_steps"]

    def shutdown(self) -> None:
        if self._scorer is not None:
            self._scorer.stop()
        super().shutdown()

    @classmethod
    def rl_module_required_apis(cls) -> list[type]:
        return [ValueFunctionAPI]


def _rows(columns: dict[str, Any], rows: slice) -> SampleBatch:
    """Some of the episodes of a batch, whose columns are tensors or tensors by name."""
    return SampleBatch(
        {
            name: {key: value[rows] for key, value in column.items()} if isinstance(column, dict) else column[rows]
            for name, column in columns.items()
        }
    )
