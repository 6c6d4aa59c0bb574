"""A trial of plain Ray Tune, whose algorithm is ours and whose faults are Tune's to get over."""

from __future__ import annotations

import psutil
import pytest
from ray import tune

from spiral import config
from spiral.agents.algorithm import Spiral, SpiralConfig

pytestmark = pytest.mark.slow


ITERATIONS, KILLED_AFTER = 8, 4


class KillLearner(tune.Callback):
    """Once, after one of the iterations."""

    def __init__(self):
        self.seen = []  # iterations and the steps they had reached
        self.recovered = 0

    def on_trial_recover(self, **info):
        self.recovered += 1

    def on_trial_result(self, iteration, trials, trial, result, **info):
        self.seen.append((result["training_iteration"], result["num_env_steps_sampled_lifetime"]))
        if len(self.seen) == KILLED_AFTER:
            (learner,) = (
                process
                for process in psutil.Process().children(recursive=True)
                if "ray::_WrappedExecutable" in "".join(process.cmdline()[:1])  # so RLlib calls it
            )
            learner.kill()


@pytest.mark.faults("a learner of a trial of Ray Tune is killed")
def test_tune_restores_a_trial_whose_learner_is_killed(on_ray, tiny_run, tmp_path):
    run = config.override(tiny_run, ["num_learners=1", "num_env_runners=1", "discriminator.num_cpus=0.5"])
    killer = KillLearner()
    results = tune.Tuner(
        Spiral,
        param_space=SpiralConfig.from_run(run),
        run_config=tune.RunConfig(
            stop={"training_iteration": ITERATIONS},
            storage_path=str(tmp_path),
            verbose=0,
            callbacks=[killer],
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1),
            failure_config=tune.FailureConfig(max_failures=1),
        ),
    ).fit()
    assert not results.errors
    assert killer.recovered == 1
    (result,) = results
    iterations, steps = zip(*killer.seen, strict=True)
    # It goes on from the newest checkpoint that was whole, one iteration back at most, with the steps it had then.
    gone_on = iterations[KILLED_AFTER]
    assert gone_on in {KILLED_AFTER, KILLED_AFTER + 1}
    assert [*iterations] == [*range(1, KILLED_AFTER + 1), *range(gone_on, ITERATIONS + 1)]
    assert steps[gone_on - 2] < steps[KILLED_AFTER]
    assert sorted(steps[KILLED_AFTER:]) == [*steps[KILLED_AFTER:]]
    assert result.metrics["learners"]["default_policy"]["env_steps_trained"] > steps[gone_on - 2]
