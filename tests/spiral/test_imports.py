"""What each part may import (the plotter's machine has no torch), each in a fresh process."""

import subprocess
import sys

import pytest

HEAVY = ("gymnasium", "torch", "ray", "spiral.envs", "spiral.agents")
LIGHT_MODULES = [
    "spiral",
    "spiral.apng",
    "spiral.bench.measure",
    "spiral.bench.render",
    "spiral.bench.suite",
    "spiral.canvas",
    "spiral.checks",
    "spiral.checksums",
    "spiral.cli",
    "spiral.color",
    "spiral.config",
    "spiral.datasets",
    "spiral.film",
    "spiral.geometry",
    "spiral.history_picture",
    "spiral.interchange",
    "spiral.interchange.convert",
    "spiral.last_words",
    "spiral.pace",
    "spiral.paint_folder",
    "spiral.picture_file",
    "spiral.pictures",
    "spiral.player",
    "spiral.plot",
    "spiral.plotter.gcode_file",
    "spiral.plotter.grbl",
    "spiral.population",
    "spiral.program",
    "spiral.progress",
    "spiral.renderers",
    "spiral.renderers.cairo",
    "spiral.renderers.reference",
    "spiral.replay_file",
    "spiral.search",
    "spiral.state_file",
    "spiral.stroke",
    "spiral.supersampled",
    "spiral.svg",
    "spiral.target",
    "spiral.tiles",
    "spiral.time_limit",
]


def heavy_modules_after(code: str) -> list[str]:
    report = f"import sys; print('loaded', *(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_a_noun_brings_no_training_library(module):
    assert heavy_modules_after(f"import {module}") == []


def test_replaying_a_program_brings_no_training_library():
    code = (
        "from spiral import *; from spiral.canvas import CanvasSpec\n"
        "replay(Program(CanvasSpec(16, 16, 1), [Stroke((0, 0), (0, 0), (1, 1), Brush(0.1))]))"
    )
    assert heavy_modules_after(code) == []


def test_help_brings_no_training_library():
    code = "from spiral.cli import main; main(['--help'], standalone_mode=False)"
    assert heavy_modules_after(code) == []


def test_the_list_of_datasets_brings_no_training_library():
    code = "from spiral.cli import main; main(['list', 'datasets'], standalone_mode=False)"
    assert heavy_modules_after(code) == []


def test_environments_bring_gymnasium_but_neither_torch_nor_ray():
    assert {"torch", "ray"}.isdisjoint(heavy_modules_after("import spiral.envs"))


def test_this_test_sees_a_heavy_import():
    assert heavy_modules_after("import gymnasium") == ["gymnasium"]
