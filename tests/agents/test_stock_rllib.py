"""RLlib's own runner and IMPALA learner run the painter unchanged, and agree with this project's faster path."""

import dataclasses

import numpy as np
import pytest
import torch
from ray.rllib.algorithms.impala import IMPALAConfig
from ray.rllib.algorithms.impala.torch.vtrace_torch_v2 import vtrace_torch
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module import RLModuleSpec

from spiral.agents.heads import joint_log_prob
from spiral.agents.module import PainterModule
from spiral.agents.vtrace import vtrace
from spiral.config import EnvConfig, PainterConfig

STEPS = 4
ENV = EnvConfig(width=16, height=16, grid=4, episode_length=STEPS, noise_size=2, reward="l2")


@pytest.fixture(scope="module", params=[0, 8], ids=["feed-forward", "lstm"])
def stock(on_ray, request):
    painter = PainterConfig(hidden=16, channels=(4, 4), location_embedding=4, lstm=request.param)
    targets = np.random.default_rng(0).integers(0, 256, size=(3, 16, 16, 1), dtype=np.uint8)
    algorithm = (
        IMPALAConfig()
        .environment("spiral/Paint-v0", env_config={**dataclasses.asdict(ENV), "targets": targets})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=4, rollout_fragment_length=STEPS)
        .learners(num_learners=0)
        .training(train_batch_size_per_learner=4 * STEPS)
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=PainterModule,
                model_config={
                    "painter": dataclasses.asdict(painter),
                    "env": dataclasses.asdict(ENV),
                    "max_seq_len": STEPS + 1,  # RLlib adds a step for the bootstrap value
                },
            )
        )
        .reporting(min_sample_timesteps_per_iteration=4 * STEPS, min_time_s_per_iteration=0)
        .debugging(seed=3)
        .build_algo()
    )
    yield algorithm
    algorithm.stop()


def weights_of(algorithm):
    return algorithm.learner_group._learner.module[DEFAULT_MODULE_ID].state_dict()


def test_it_trains(stock):
    before = {name: value.clone() for name, value in weights_of(stock).items()}
    result = stock.train()
    after = weights_of(stock)
    assert result["learners"][DEFAULT_MODULE_ID]["vf_loss"] > 0
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_log_probs_are_those_of_the_painter(stock):
    episodes = stock.env_runner.sample(num_episodes=4)
    painter = stock.env_runner.module.painter
    for episode in episodes:
        observations = {
            name: torch.as_tensor(np.asarray(values[:-1])) for name, values in episode.get_observations().items()
        }
        observations = {name: values[None] for name, values in observations.items()}  # [1, T, ...]
        actions = torch.as_tensor(np.asarray(episode.get_actions()))
        with torch.no_grad():
            core, seen, _ = painter.unroll(observations, painter.initial_state(1), len(actions))
            _, logits = painter.heads(core, actions, seen=seen)
            ours = joint_log_prob(logits, actions, painter.masks(actions))
        theirs = torch.as_tensor(np.asarray(episode.get_extra_model_outputs(Columns.ACTION_LOGP)))
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_v_trace_equals_rllibs():
    generator = torch.Generator().manual_seed(0)
    log_rhos, rewards, values = (torch.randn(5, STEPS, generator=generator) for _ in range(3))
    ours = vtrace(log_rhos, rewards, values, discount=0.9, trace=1.0)
    ends = torch.ones(STEPS, 5)
    ends[-1] = 0.0  # terminal: nothing is bootstrapped
    targets, advantages = vtrace_torch(
        target_action_log_probs=log_rhos.T,
        behaviour_action_log_probs=torch.zeros(STEPS, 5),
        discounts=0.9 * ends,
        rewards=rewards.T,
        values=values.T,
        bootstrap_values=torch.zeros(5),
        clip_rho_threshold=1.0,
        clip_pg_rho_threshold=1.0,
    )
    torch.testing.assert_close(ours.targets, targets.T)
    torch.testing.assert_close(ours.advantages, advantages.T)
