import dataclasses
import io
import random
import xml.etree.ElementTree as ET

import cairosvg
import numpy as np
import pytest
from PIL import Image

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.svg import save_svg, to_svg

SVG = "{http://www.w3.org/2000/svg}"
EVEN = Stroke((0.0, 0.5), (0.5, 0.0), (1.0, 0.5), Brush(0.25, (1.0, 0.5, 0.0), opacity=0.5, pressure=(0.5, 0.5)))
TAPERED = Stroke((0.0, 0.5), (0.5, 0.0), (1.0, 0.5), Brush(0.25, (0.0, 0.5, 1.0), pressure=(0.0, 1.0)))


def program_of(*strokes, width=64, height=32, channels=3):
    return Program(CanvasSpec(width, height, channels, background=(0.5, 0.5, 0.5)), strokes)


def paths(svg):
    return list(ET.fromstring(svg).iter(SVG + "path"))


def rasterised(svg):
    return np.asarray(Image.open(io.BytesIO(cairosvg.svg2png(svg.encode()))).convert("RGB")).astype(int)


def test_the_drawing_has_the_size_and_the_background_of_the_canvas():
    root = ET.fromstring(to_svg(program_of(EVEN), size=640))
    assert root.attrib["viewBox"] == "0 0 64 32"
    assert (root.attrib["width"], root.attrib["height"]) == ("640", "320")
    assert root.find(SVG + "rect").attrib == {"width": "64", "height": "32", "fill": "#808080"}


def test_a_stroke_of_even_width_is_its_curve():
    (path,) = paths(to_svg(program_of(EVEN)))
    assert path.attrib == {"d": "M0,16Q32,0 64,16", "stroke-width": "4", "stroke": "#ff8000", "opacity": "0.5"}


def test_a_tapered_stroke_is_one_filled_path():
    (path,) = paths(to_svg(program_of(TAPERED)))
    assert path.attrib["fill"] == "#0080ff" and "stroke" not in path.attrib
    assert path.attrib["d"].endswith("Z")


def test_a_hairpin_is_written_as_two_curves():
    there_and_back = Stroke((0.25, 0.5), (0.75, 0.5), (0.25, 0.5), Brush(0.25))
    (path,) = paths(to_svg(program_of(there_and_back)))
    assert path.attrib["d"] == "M16,16Q32,16 32,16M32,16Q32,16 16,16"


def test_strokes_keep_their_order_and_equal_programs_give_equal_text(tmp_path):
    program = program_of(EVEN, TAPERED)
    first, second = paths(to_svg(program))
    assert "stroke" in first.attrib and "fill" in second.attrib
    save_svg(program, tmp_path / "a.svg", size=100)
    assert (tmp_path / "a.svg").read_text() == to_svg(Program.from_json(program.to_json()), size=100)


def test_the_whole_program_is_in_the_metadata():
    program = dataclasses.replace(program_of(EVEN, TAPERED), origin="</program> & <b> ]]> \n é", seed=3)
    held = ET.fromstring(to_svg(program)).find(f"{SVG}metadata/{{urn:spiral-painter:program}}program")
    assert Program.from_json(held.text) == program


@pytest.mark.parametrize(("width", "height", "channels"), [(64, 64, 3), (64, 48, 1), (17, 31, 3)])
def test_another_rasteriser_shows_what_replay_shows(width, height, channels):
    rng = random.Random(width)

    def stroke():
        color = tuple(rng.random() for _ in range(3)) if channels == 3 else (rng.random(),) * 3
        pressure = rng.choice([(1.0, 1.0), (rng.random(), rng.random())])
        points = [(rng.random(), rng.random()) for _ in range(3)]
        return Stroke(*points, Brush(rng.choice([1, 2, 4, 8, 12, 24]) / 64, color, rng.random(), pressure))

    for _ in range(5):
        program = program_of(*(stroke() for _ in range(20)), width=width, height=height, channels=channels)
        off = np.abs(rasterised(to_svg(program, size=320)) - replay(program, size=320))
        assert off.mean() < 0.7


@pytest.mark.parametrize("size", [0, 8193])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(InputError, match=f"size must be a whole number from 16 to 8192, got {size}"):
        to_svg(program_of(EVEN), size)
