"""Training on a Ray of several nodes, as a user starts it, while nodes come and go. Minutes each: ``-m cluster``."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from ray_nodes import Cluster

pytestmark = pytest.mark.cluster

SPIRAL = Path(sys.executable).with_name("spiral")
LONGEST_S = 900.0  # for anything to happen, on a machine with other work
SMALL = ["evaluate_samples=20", "num_envs=16", "evaluate_minutes=60"]


class Run:
    """``spiral train`` on a cluster, in a process of its own."""

    def __init__(self, cluster, *words, settings=()):
        self.folder = cluster.folder / "run"
        options = [word for setting in (*SMALL, *settings) for word in ("--set", setting)]
        self._log = cluster.folder / "train.log"
        with self._log.open("a") as output:
            self.process = subprocess.Popen(
                [SPIRAL, "train", *words, *options, "--address", cluster.address, "--out", self.folder],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=cluster.environment,
            )

    @property
    def said(self):
        return self._log.read_text()

    def rows(self):
        """Of training, without those of evaluations."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / "metrics.jsonl").read_text().splitlines(keepends=True)
            rows = [json.loads(line) for line in lines if line.endswith("\n")]
            return [row for row in rows if "runners_lost" in row]
        return []

    def until(self, reached):
        """The first new row that is as asked for."""
        seen, end = len(self.rows()), time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            for row in self.rows()[seen:]:
                if reached(row):
                    return row
            assert self.process.poll() is None, self.said
            time.sleep(0.5)
        raise AssertionError(f"not reached in {LONGEST_S:.0f} s; said so far:\n{self.said}")

    def trains(self):
        """Wait until it has learned from ten rollouts more."""
        before = max((row["env_steps"] for row in self.rows()), default=0)
        return self.until(lambda row: row["env_steps"] >= before + 10 * 96)

    def ended(self):
        """Wait for its end; its exit code."""
        return self.process.wait(LONGEST_S)


@pytest.fixture
def cluster():
    # Not tmp_path: the path of a socket in it has room for 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    nodes = Cluster(folder)
    yield nodes
    nodes.close()
    shutil.rmtree(folder)


@pytest.fixture
def start(cluster):
    """Starts runs, that are ended with the test."""
    runs = []

    def run(*words, **settings):
        runs.append(Run(cluster, *words, **settings))
        return runs[-1]

    yield run
    for each in runs:
        each.process.kill()
        each.process.wait()


def test_nodes_with_a_runner_and_with_the_discriminator_are_lost_and_come_back(cluster, start):
    cluster.add("--num-cpus", "1")
    runners_node = cluster.add("--num-cpus", "1")
    run = start("debug", "--env-steps", "1000000", settings=["num_env_runners=2"])
    cluster.wait_for("CanvasEnvRunner", 2)
    discriminators_node = cluster.add("--num-cpus", "1")  # there is no room for it elsewhere
    run.trains()

    cluster.lose(runners_node)
    run.until(lambda row: row["runners_lost"] == 1)
    run.trains()
    assert "WARNING: 1 of 2 runners lost. Training goes on with the rest, and Ray starts them again\n" in run.said
    cluster.add("--num-cpus", "1")
    row = run.until(lambda row: row["runners_lost"] == 0)
    assert row["runner_restarts"] == 1
    run.trains()
    assert "2 of 2 runners paint again\n" in run.said

    before = run.trains()
    cluster.lose(discriminators_node)
    cluster.add("--num-cpus", "1")
    row = run.until(lambda row: row.get("discriminator_restarts") == 1)
    assert row["env_steps"] >= before["env_steps"]
    row = run.trains()
    assert row["discriminator_lag"] == 1
    assert "it goes on from version" in run.said

    run.process.send_signal(2)  # Ctrl-C
    assert run.ended() == 0
    assert run.rows()[-1]["env_steps_dropped"] == 0
    assert "Go on with: spiral train --resume" in run.said


TWO_ON_A_GPU = """
import ray
from spiral import config
from spiral.agents.discriminator_link import start_process

class Placed:
    def __init__(self, scoring, device):
        self.device = device

    def place(self):
        return self.device, ray.get_gpu_ids(), ray.get_runtime_context().get_assigned_resources()["GPU"]

ray.init(address="auto", logging_level="ERROR", log_to_driver=False)
run = config.override(config.RunConfig(), ["discriminator.num_gpus=0.5", "discriminator.num_cpus=0.5"])
discriminators = [start_process(Placed, run.scoring) for _ in range(3)]
there, waiting = ray.wait([each.place.remote() for each in discriminators], num_returns=2, timeout=300)
print(ray.get(there), len(ray.wait(waiting, timeout=10)[0]))
"""


def test_discriminators_share_a_gpu_by_fractions(cluster):
    """No GPU is here: Ray is told of one, so this is about places, not about what runs there."""
    cluster.add("--num-cpus", "4")
    cluster.add("--num-cpus", "1", "--num-gpus", "1")
    environment = cluster.environment | {"RAY_ADDRESS": cluster.address}
    command = [sys.executable, "-c", TWO_ON_A_GPU]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.stdout == "[('cuda', [0], 0.5), ('cuda', [0], 0.5)] 0\n", done.stderr


def test_the_head_is_lost(cluster, start):
    head = cluster.add("--num-cpus", "3")
    run = start("debug", "--env-steps", "1000000")
    run.trains()
    cluster.lose(head)
    assert run.ended() == 1
    assert run.said.endswith(
        "Error: the run was killed, or Ray ended it because its node was lost; "
        f"go on with: spiral train --resume --out {run.folder}\n"
    )


def test_two_learners_train_are_stopped_and_go_on(cluster, start):
    cluster.add("--num-cpus", "6")
    settings = ["num_learners=2", "num_env_runners=2"]
    a_update = 2 * 96
    first = start("debug", "--env-steps", str(100 * a_update), settings=settings)
    assert first.ended() == 0, first.said
    rows = first.rows()
    assert rows[-1]["env_steps"] >= 100 * a_update
    assert all(row["env_steps_dropped"] == 0 for row in rows)
    assert max(row.get("policy_lag", 0) for row in rows) <= 10
    second = start("--resume", "--env-steps", str(150 * a_update), settings=settings)
    assert second.ended() == 0, second.said
    assert f"Going on from {rows[-1]['env_steps']:,} steps" in second.said
    assert second.rows()[-1]["env_steps"] >= 150 * a_update


def test_rollouts_that_do_not_fit_into_the_object_store_together(cluster, start):
    cluster.add("--num-cpus", "4", "--object-store-memory", str(80 * 2**20))
    large = ["num_env_runners=2", "num_envs=1024", "env.width=64", "env.height=64"]  # 30 MB each
    run = start("debug", "--env-steps", str(5 * 6144), settings=large)
    assert run.ended() == 0, run.said
    assert run.rows()[-1]["env_steps_dropped"] == 0


def test_a_cluster_that_asks_for_a_token_says_so(cluster):
    cluster.add("--num-cpus", "1")
    no_token = {name: value for name, value in cluster.environment.items() if not name.startswith("RAY_AUTH")}
    done = subprocess.run(
        [SPIRAL, "train", "debug", "--address", cluster.address, "--out", cluster.folder / "run"],
        stderr=subprocess.PIPE,
        text=True,
        env=no_token,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.endswith(
        f"Error: cannot reach Ray at '{cluster.address}': Failed to connect to Ray cluster at {cluster.address}; "
        "it asks for a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH\n"
    )
