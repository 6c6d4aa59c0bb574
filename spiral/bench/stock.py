"""Stock RLlib: its own runner, connectors and IMPALA learner, with the painter's module on the same environment."""

from __future__ import annotations

import dataclasses

from ray.rllib.algorithms.impala import IMPALAConfig
from ray.rllib.core.rl_module import RLModuleSpec

import spiral.envs  # noqa: F401  registers spiral/Paint-v0
from spiral.agents.module import PainterModule
from spiral.config import RunConfig


def stock_config(run: RunConfig) -> IMPALAConfig:
    """The same networks, batches and numbers of updates as ``spiral train`` with these settings.

    Two of RLlib's defaults are set as someone would who knows them, so that only its way of sampling and learning is
    measured: asking the runners does not take a core of its own, and sequences are as long as an episode.
    """
    length, env = run.env.episode_length, dataclasses.asdict(run.env)
    return (
        IMPALAConfig()
        .environment("spiral/Paint-v0", env_config=env)
        .env_runners(
            num_env_runners=run.num_env_runners,
            num_envs_per_env_runner=run.num_envs,
            rollout_fragment_length=length,
        )
        .learners(num_learners=0)
        .training(
            lr=run.learner.learning_rate,
            entropy_coeff=run.learner.entropy,
            vf_loss_coeff=run.learner.value,
            gamma=run.learner.discount,
            grad_clip=run.learner.gradient_clip,
            train_batch_size_per_learner=run.num_envs * length,
            minibatch_size=run.learner.minibatch * length,
            num_epochs=1,
        )
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=PainterModule,
                model_config={
                    "painter": dataclasses.asdict(run.painter),
                    "env": env,
                    "max_seq_len": length + 1,  # RLlib adds a step for the bootstrap value
                },
            )
        )
        .reporting(min_time_s_per_iteration=1, min_sample_timesteps_per_iteration=run.num_envs * length)
        .debugging(seed=run.seed)
        .update_from_dict({"timeout_s_sampler_manager": 0.05})
    )
