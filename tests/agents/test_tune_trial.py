from __future__ import annotations

import pytest
from ray import tune

from spiral import config
from spiral.agents.algorithm import Spiral, SpiralConfig


def test_tune_runs_a_trial_to_its_end(on_ray, tiny_run, tmp_path):
    run = config.override(tiny_run, ["discriminator.remote=true", "discriminator.num_cpus=0.5"])
    results = tune.Tuner(
        Spiral,
        param_space=SpiralConfig.from_run(run),
        run_config=tune.RunConfig(stop={"training_iteration": 2}, storage_path=str(tmp_path), verbose=0),
    ).fit()
    assert not results.errors
    (result,) = results
    assert result.metrics["training_iteration"] == 2
    assert result.metrics["learners"]["default_policy"]["env_steps_trained"] >= 48
    assert result.metrics["num_env_steps_sampled_lifetime"] == pytest.approx(
        result.metrics["learners"]["default_policy"]["env_steps_trained"]
    )
