"""Whose CPU seconds and whose memory it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spiral.bench import processes
from spiral.bench.processes import DISCRIMINATOR, MAIN, RAY, RUNNER

BURN = "import time\nwhile time.process_time() < 0.3: pass\nprint('burnt', flush=True)\ninput()"


@pytest.fixture
def child():
    """Starts a process that calls itself as it is told, and waits until it has used 0.3 CPU seconds."""
    started = []

    def start(title):
        started.append(
            subprocess.Popen(
                ["bash", "-c", f'exec -a "{title}" "{sys.executable}" -c "{BURN}"'],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert started[-1].stdout.readline() == "burnt\n"

    yield start
    for each in started:
        each.communicate("\n")


@pytest.mark.parametrize(
    ("title", "role", "name"),
    [
        ("ray::CanvasEnvRunner.sample_get_state_and_metrics", RUNNER, "CanvasEnvRunner"),
        ("ray::SingleAgentEnvRunner", RUNNER, "SingleAgentEnvRunner"),
        ("ray::DiscriminatorLearner.train", DISCRIMINATOR, "DiscriminatorLearner"),
        ("ray::EnvRunnerStateServer", RAY, "EnvRunnerStateServer"),
    ],
)
def test_roles(child, title, role, name):
    before = processes.cpu_seconds()
    child(title)
    spent = {one: seconds - before[one] for one, seconds in processes.cpu_seconds().items()}
    assert spent[role] >= 0.25
    assert sum(spent[other] for other in (RUNNER, DISCRIMINATOR, RAY) if other != role) < 0.2
    found = {(one.role, one.name): one for one in processes.memory()}
    assert found[role, name].memory_mb > 2
    assert found[MAIN, "main"].memory_mb > 20


def test_shared_memory_of_ray_is_told_apart(tmp_path):
    import mmap

    with (tmp_path / "plasma-test").open("w+b") as file:
        file.truncate(32 * 2**20)
        with mmap.mmap(file.fileno(), 0) as store:
            before = _main().store_mb
            for start in range(0, len(store), mmap.PAGESIZE):
                store[start] = 1
            assert _main().store_mb - before == pytest.approx(32 * 2**20 / 1e6, rel=0.01)


def _main():
    (main,) = [one for one in processes.memory() if one.role == MAIN]
    return main
