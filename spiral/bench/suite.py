"""All parts, one after the other: what to run, what to show meanwhile, and the file that is left."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import time
from collections.abc import Sequence
from typing import Any

from spiral import checks, config
from spiral.bench import machine, table
from spiral.bench.measure import Options, Result
from spiral.config import RunConfig
from spiral.errors import InputError
from spiral.files import written_whole
from spiral.registry import unknown
from spiral.report import Report

FORMAT, VERSION = "spiral-bench", 1
# Each is a module of this name in this package.
PARTS = {
    "render": "strokes on one canvas, beside a bare pycairo loop",
    "env": "environment steps, beside Gymnasium's vector and rendering alone",
    "rollout": "a painter painting, alone",
    "learner": "the painter's updates, beside the same without RLlib",
    "discriminator": "the discriminator's updates, alone",
    "train": "all of training, beside a bare loop and stock RLlib",
    "scale": "training with more runners and larger canvases; memory of every process",
}
BESIDE_BARE_LOOP = ("learner", "train")  # which has no code for some settings
ROUNDS, SECONDS, STEPS = 5, 0.5, 60_000
KNOWS_ITS_PACE = 0.1  # share of the work
QUICK = {"rounds": 2, "seconds": 0.02, "steps": 200}


def options(
    preset: str,
    assignments: Sequence[str] = (),
    *,
    rounds: int | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    quick: bool = False,
) -> Options:
    """What to measure with; what is None has its default, with ``quick`` one that only tries the machinery.

    Raises:
        InputError: an unknown preset or setting, one of painters of targets or classes, or a number out of range.
    """
    run = config.override(config.preset(preset), list(assignments))
    if run.env.target or run.env.classes:
        raise InputError(
            f"painters that are asked for something are not measured yet, got env.target={str(run.env.target).lower()} "
            f"and env.classes={run.env.classes}; set them to false and 0, or measure another preset"
        )
    defaults = QUICK if quick else {"rounds": ROUNDS, "seconds": SECONDS, "steps": STEPS}
    return Options(
        run,
        checks.integer(defaults["rounds"] if rounds is None else rounds, "--rounds", 1, 1000),
        checks.number(defaults["seconds"] if seconds is None else seconds, "--seconds", 0.001, 600.0),
        checks.integer(defaults["steps"] if steps is None else steps, "--steps", 1, 10**9),
        quick,
    )


def bench(
    parts: Sequence[str], chosen: Options, output: str | os.PathLike | None = None, report: Report | None = None
) -> None:
    """Measure parts, all where none is named, and say what was found.

    Args:
        parts: names of ``PARTS``.
        chosen: what to measure with.
        output: a JSON file to write everything to, every round included; renewed after each part.
        report: where progress and tables are shown.

    Raises:
        InputError: no such part, settings that the bare loop has no code for, or the file cannot be written.
        SpiralError: a process that was measured failed.
    """
    for part in parts:
        if part not in PARTS:
            raise InputError(unknown("part", part, list(PARTS)))
    names = [part for part in PARTS if part in parts or not parts]
    if any(part in BESIDE_BARE_LOOP for part in names):
        _check_bare_loop(chosen.run)
    results: dict[str, Result] = {}
    if output is not None:
        _write(output, chosen, results)  # before hours of work
    modules = {part: importlib.import_module(f"spiral.bench.{part}") for part in names}
    with report or Report() as shown:
        watch = _Progress(shown, sum(module.planned(chosen) for module in modules.values()))
        for part, module in modules.items():
            results[part] = module.measure(chosen, watch)
            shown.say(table.text(part, PARTS[part], results[part]) + "\n")
            if output is not None:
                _write(output, chosen, results)


def _check_bare_loop(run: RunConfig) -> None:
    if run.painter.lstm or run.objective.reward != "final":
        raise InputError(
            "the bare loop that training is compared with has no lstm and knows the reward 'final' only, got "
            f"painter.lstm={run.painter.lstm} and objective.reward={run.objective.reward}; change them by --set"
        )


class _Progress:
    """A `Watch` that shows how much of the expected time has been worked off."""

    def __init__(self, report: Report, expected: float):
        self._report, self._expected = report, expected
        self._passed, self._began = 0.0, time.monotonic()

    def __call__(self, seconds: float, what: str) -> None:
        self._passed = min(self._expected, self._passed + seconds)
        progress = self._passed / self._expected
        # By the pace so far, once there is one: the first seconds go into importing.
        left = self._expected - self._passed if progress < KNOWS_ITS_PACE else None
        self._report.show(progress, time.monotonic() - self._began, what, left)


def _write(output: str | os.PathLike, chosen: Options, results: dict[str, Result]) -> None:
    with written_whole(output) as beside:
        beside.write_text(json.dumps(document(chosen, results), indent=1) + "\n", encoding="utf-8")


def document(chosen: Options, results: dict[str, Result]) -> dict[str, Any]:
    """Everything that was measured, with what, and on which machine."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "machine": machine.machine(),
        "versions": machine.versions(),
        "options": dataclasses.asdict(chosen) | {"run": config.to_dict(chosen.run)},
        "parts": {part: table.values(result) for part, result in results.items()},
    }
