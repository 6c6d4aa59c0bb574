"""A painter that knows the pen: what it learns with and paints obeys palette, width, ink and shortest stroke."""

from __future__ import annotations

import math
import re

import pytest
import torch
from gcodeparser import parse_gcode_lines

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.agents.painter import Painter
from spiral.color import css_color
from spiral.export import export
from spiral.geometry import Point, arc_length
from spiral.metrics import METRICS, pen_lifts
from spiral.paint import paint
from spiral.plotter.machine import load_machine
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options
from spiral.program import matches_checksum

PALETTE = ((0.1, 0.1, 0.1), (0.8, 0.1, 0.2), (0.0, 0.3, 0.7))
MINIMUM, PICTURE = 12.0, 40.0  # mm
SETTINGS = [
    "env.channels=3",
    f"env.palette={list(map(list, PALETTE))}",
    "env.sizes=[0.08]",
    "env.pressures=[1.0]",
    "env.pressure_controls=width",
    f"env.picture_mm={PICTURE}",
    f"env.minimum_mm={MINIMUM}",
    "env.lift_cost=0.2",
    "env.travel_cost=0.01",
]


@pytest.fixture(scope="module")
def trained(on_ray, tiny_run):
    """The run, the last row of its metrics, and the painter after five updates in one process."""
    run = config.override(tiny_run, SETTINGS)
    algorithm = SpiralConfig.from_run(run).training(iteration_s=0).build_algo()
    try:
        rows = [algorithm.train_metrics() for _ in range(5)]
        weights = {name: torch.as_tensor(value) for name, value in algorithm.average_weights().items()}
    finally:
        algorithm.stop()
    painter = Painter(run.painter, run.env)
    painter.load_state_dict(weights)
    return run, rows[-1], painter.eval()


def test_it_learns(trained):
    _, row, _ = trained
    assert row["env_steps_trained"] == 5 * 24
    assert all(math.isfinite(value) for value in row.values())
    assert 0 < row["entropy/color"] <= math.log(3)
    assert row["entropy/size"] == row["entropy/pressure"] == 0
    assert set(row) <= set(METRICS)


def length_mm(stroke):
    return arc_length(*(Point(PICTURE * x, PICTURE * y) for x, y in (stroke.start, stroke.control, stroke.end)), 1e-6)


def test_every_stroke_can_be_drawn_as_it_is(trained):
    run, _, painter = trained
    programs = paint(painter, run.env, 100).programs
    strokes = [stroke for program in programs for stroke in program.strokes]
    assert len(strokes) > 100
    assert {stroke.brush.color for stroke in strokes} == set(PALETTE)
    assert {(stroke.brush.width, stroke.brush.pressure, stroke.brush.opacity) for stroke in strokes} == {
        (0.08, (1.0, 1.0), 1.0)
    }
    assert min(map(length_mm, strokes)) >= MINIMUM - 1e-3
    assert any(map(pen_lifts, programs))
    assert all(map(matches_checksum, programs[:10]))


def test_a_plotter_draws_what_it_painted_with_the_pens_it_knew(trained, tmp_path):
    """From the trained painter to G-code, read by software that is not ours, and back to the paintings."""
    run, _, painter = trained
    pens = tuple(Pen(css_color(color), f"pen of colour {i}", width=0.08 * PICTURE) for i, color in enumerate(PALETTE))
    for number, program in enumerate(paint(painter, run.env, 20).programs):
        if not program.strokes:
            continue
        file = tmp_path / f"{number}.gcode"
        planned = export(program, [file], "grbl-servo", Options(pens=pens, size=PICTURE))
        assert planned.notes == (), "nothing is lost on the way to paper"
        ends, pens_used = read_gcode(file.read_text(), load_machine("grbl-servo"))
        frame = planned.path.frame
        expected = [frame.on_machine(stroke.end) for stroke in program.strokes]
        assert len(ends) == len(expected)
        assert all(math.dist(*pair) < 1e-3 for pair in zip(ends, expected, strict=True))
        assert pens_used == [PALETTE.index(stroke.brush.color) + 1 for stroke in program.strokes]
        assert planned.after.lifts == pen_lifts(program) + 1, "the last lift is the end of the work"


def read_gcode(text, machine):
    """Where each stroke ends and which pen draws it, as a parser of G-code reads the file."""
    ends, pens, pen, place, down = [], [], None, None, False
    for written in text.splitlines():
        if found := re.match(r"\(pen (\d+): ", written):
            pen = int(found[1])
        if pens and re.match(r"\((stroke|end) ", written):
            ends.append(place)
        if written.startswith("(stroke "):
            pens.append(pen)
        for line in parse_gcode_lines(written):
            if line.command == ("M", 3):
                down = line.params["S"] == machine.lift.down
            if line.command == ("G", 1):
                assert down
                place = (line.params["X"], line.params["Y"])
    assert not down
    return ends, pens


def test_without_a_minimum_the_same_painter_paints_shorter_strokes(trained):
    run, _, painter = trained
    free = config.override(run, ["env.minimum_mm=0"]).env
    lengths = [length_mm(stroke) for program in paint(painter, free, 100).programs for stroke in program.strokes]
    assert min(lengths) < MINIMUM
