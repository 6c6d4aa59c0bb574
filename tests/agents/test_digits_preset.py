"""The preset of the README's first command, as it is started there: with a runner in a process of its own."""

import pytest

from spiral import config
from spiral.agents.algorithm import SpiralConfig


def entropy_after(run, steps):
    """Of a stroke's control point and end, nats: what painters that collapse lose first. The mean of ten updates."""
    algorithm, last = SpiralConfig.from_run(run).build_algo(), []
    try:
        trained = 0
        while trained < steps:
            row = algorithm.train_metrics()
            trained = row.get("env_steps_trained", trained)
            if "entropy/end" in row:
                last = [*last[-9:], row["entropy/control"] + row["entropy/end"]]
    finally:
        algorithm.stop()
    return sum(last) / len(last)


@pytest.mark.slow
@pytest.mark.usefixtures("on_ray")
@pytest.mark.parametrize("seed", [0, 1])
def test_it_does_not_narrow_in_the_first_minute(seed):
    run = config.override(config.preset("digits"), [f"seed={seed}"])
    assert run.num_env_runners == 1
    assert entropy_after(run, 250_000) > 4.5
