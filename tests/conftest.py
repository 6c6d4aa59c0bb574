"""What tests share: one Ray for all of them, one cache, and a run small enough to train in seconds."""

from __future__ import annotations

import logging
import os
import sys

# Before torch is loaded, here and in the processes tests start: on a machine with other work, more threads that wait for
# each other make the same tests many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from spiral import config


def pytest_collection_modifyitems(items):
    for item in items:
        for mark in item.iter_markers("faults"):
            item.user_properties.append(("fault", *mark.args))


def pytest_terminal_summary(terminalreporter, config):
    """After ``-m faults``: which faults were made and got over."""
    if config.option.markexpr != "faults":
        return
    terminalreporter.section("faults")
    for outcome in ("passed", "failed", "error", "skipped"):
        reports = terminalreporter.getreports(outcome)
        for fault in dict.fromkeys(fault for report in reports for _, fault in getattr(report, "user_properties", ())):
            terminalreporter.line(f"{outcome:8}{fault}")


@pytest.fixture(scope="session", autouse=True)
def cache_folder(request):
    """One cache for all tests and the next run of them: training the digit classifier takes half a minute."""
    folder = request.config.cache.mkdir("spiral")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def denormals_are_numbers():
    """After every test: what is left as zero would spoil tests that come later."""
    yield
    assert sys.float_info.min / 2 > 0, "this test left denormals as zero in its thread"


@pytest.fixture(scope="session")
def on_ray(cache_folder):
    """Ray, started by the first test that asks for it. More CPUs than there are: processes take turns."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    ray.init(
        address="local",
        num_cpus=8,
        include_dashboard=False,
        object_store_memory=200 * 2**20,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def tiny_run() -> config.RunConfig:
    """All in one process, 16x16 canvases, 3 actions an episode, 24 steps a rollout."""
    return config.override(
        config.RunConfig(),
        [
            "num_env_runners=0",
            "num_envs=8",
            "env_steps=240",
            "minutes=none",
            "evaluate_samples=20",
            "seed=5",
            "env.width=16",
            "env.height=16",
            "env.grid=4",
            "env.episode_length=3",
            "env.noise_size=2",
            "painter.hidden=16",
            "painter.channels=[4, 4]",
            "painter.location_embedding=4",
            "discriminator.remote=false",
            "discriminator.channels=[4, 4]",
            "discriminator.batch_size=4",
            "discriminator.updates=2",
            "discriminator.buffer_size=16",
            "learner.minibatch=4",
        ],
    )


@pytest.fixture(scope="session")
def painter_file(tiny_run, tmp_path_factory):
    """A painter that has learned nothing, in its file."""
    from untrained import save_untrained

    return save_untrained(tiny_run, tmp_path_factory.mktemp("checkpoint"))
