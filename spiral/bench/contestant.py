"""One way to train, in a process tree of its own, so that its CPU seconds and its memory are its own.

As a program it reads orders from stdin, a line of JSON each, and answers on stdout: ``{"steps": N}`` trains for at
least N environment steps, ``{"memory": true}`` lists its processes. It ends when stdin does.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

from spiral import config
from spiral.bench.measure import Round
from spiral.bench.processes import Process
from spiral.config import RunConfig
from spiral.errors import SpiralError

Train = Callable[[], int]
"""Trains a little; returns the environment steps since the beginning."""


class Contestant:
    """A process that trains when told to. Use it as a context manager.

    Args:
        kind: one of ``KINDS``.
        run: its settings.

    Raises:
        SpiralError: it failed; the message is its last line.
    """

    def __init__(self, kind: str, run: RunConfig):
        self.kind = kind
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spiral.bench.contestant", kind, json.dumps(config.to_dict(run))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def train(self, steps: int) -> tuple[Round, dict[str, float]]:
        """Train for at least so many environment steps; the cost, and its CPU seconds by role."""
        answer = self._ask({"steps": steps})
        return Round(*answer["round"]), answer["cpu_seconds"]

    def memory(self) -> list[Process]:
        """Its processes, the largest first."""
        return [Process(*one) for one in self._ask({"memory": True})["processes"]]

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._process.wait()
            self._errors.seek(0)
            lines = self._errors.read().strip().splitlines()
            raise SpiralError(f"{self.kind} failed: {lines[-1] if lines else 'it said nothing'}")
        return json.loads(answer)


@contextlib.contextmanager
def _spiral(run: RunConfig) -> Iterator[Train]:
    """The product: Ray, a process for each runner, the learner in this one, one for the discriminator."""
    from spiral.agents.algorithm import SpiralConfig
    from spiral.ray_session import ray_session

    with ray_session(run, None):
        algorithm = SpiralConfig.from_run(run).build_algo()
        steps = 0

        def train() -> int:
            nonlocal steps
            steps = int(algorithm.train_metrics().get("env_steps_trained", steps))
            return steps

        yield train
        algorithm.stop()


@contextlib.contextmanager
def _bare(run: RunConfig) -> Iterator[Train]:
    """The same algorithm in one process and one thread."""
    import torch

    from spiral.bench.bare_loop import BareLoop

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as ours: a painter that is sure of a part would cost it a fifth more
    loop, steps = BareLoop(run), 0

    def train() -> int:
        nonlocal steps
        steps += loop()
        return steps

    yield train


@contextlib.contextmanager
def _stock(run: RunConfig) -> Iterator[Train]:
    """RLlib's own runner and IMPALA learner with the painter's module; no discriminator, so every reward is 0."""
    import torch

    from spiral.bench.stock import stock_config
    from spiral.ray_session import ray_session

    with ray_session(run, None):
        algorithm = stock_config(run).build_algo()
        torch.set_num_threads(1)  # as ours

        def train() -> int:
            return int(algorithm.train()["num_env_steps_sampled_lifetime"])

        yield train
        algorithm.stop()


KINDS = {"spiral": _spiral, "bare": _bare, "stock": _stock}


def main(kind: str, settings: str) -> None:
    from spiral.bench import processes

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    with KINDS[kind](config.from_dict(json.loads(settings))) as train:
        steps = train()
        for line in sys.stdin:
            order = json.loads(line)
            if "steps" in order:
                first, began, cpu = steps, time.perf_counter(), processes.cpu_seconds()
                while steps - first < order["steps"]:
                    steps = train()
                wall = time.perf_counter() - began
                spent = {role: now - cpu[role] for role, now in processes.cpu_seconds().items()}
                answer = {"round": (steps - first, wall, sum(spent.values())), "cpu_seconds": spent}
            else:
                answer = {"processes": processes.memory()}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
