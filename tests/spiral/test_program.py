import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spiral.program
from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError, ProgramError
from spiral.program import matches_checksum, pixel_checksum

STROKE = Stroke((0.1, 0.2), (0.5, 0.9), (0.9, 0.2), Brush(0.1, (0.0, 0.5, 1.0), 0.5, (0.2, 1.0)), action=(1, 40, 7))
PROGRAM = Program(CanvasSpec(64, 48, 3), (STROKE, STROKE.until(0.5)), seed=7, origin="runs/digits")

UNIT = st.floats(0, 1)
COORDINATES = st.floats(-1, 2)
POINTS = st.tuples(COORDINATES, COORDINATES)
ACTIONS = st.none() | st.lists(st.integers(0, 2**31 - 1), max_size=10).map(tuple)


def programs_on(channels):
    colors = st.tuples(UNIT, UNIT, UNIT) if channels == 3 else UNIT.map(lambda level: (level,) * 3)
    widths = st.floats(0, 2, exclude_min=True)
    brushes = st.builds(Brush, widths, colors, UNIT, st.tuples(UNIT, UNIT))
    sides = st.integers(16, 1024)
    return st.builds(
        Program,
        st.builds(CanvasSpec, sides, sides, st.just(channels), colors),
        st.lists(st.builds(Stroke, POINTS, POINTS, POINTS, brushes, ACTIONS), max_size=5),
        seed=st.none() | st.integers(0, 2**128 - 1),
        origin=st.none() | st.text(max_size=20),
        checksum=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
    )


PROGRAMS = st.sampled_from([1, 3]).flatmap(programs_on)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def fields(**changes):
    return json.loads(PROGRAM.to_json()) | changes


def stroke_fields(**changes):
    return fields(strokes=[json.loads(PROGRAM.to_json())["strokes"][0] | changes])


def canvas_fields(**changes):
    return fields(canvas=fields()["canvas"] | changes)


@given(PROGRAMS)
def test_a_program_comes_back_from_its_text(program):
    text = program.to_json()
    assert Program.from_json(text) == program
    assert Program.from_json(text).to_json() == text


def test_the_file_is_as_documented():
    stroke = Stroke((0, 0), (0.5, 1), (1, 0), Brush(0.25), action=(1, 2))
    assert Program(CanvasSpec(64, 32, 1), [stroke], seed=3).to_json() == (
        "{\n"
        ' "format": "spiral-program",\n'
        ' "version": 1,\n'
        ' "environment": "spiral/Paint-v0",\n'
        ' "canvas": {"width": 64, "height": 32, "channels": 1, "background": [1.0, 1.0, 1.0]},\n'
        ' "renderer": "cairo",\n'
        ' "seed": 3,\n'
        ' "origin": null,\n'
        ' "checksum": null,\n'
        ' "strokes": [\n'
        '  {"start": [0.0, 0.0], "control": [0.5, 1.0], "end": [1.0, 0.0], "width": 0.25, "pressure": [1.0, 1.0], '
        '"color": [0.0, 0.0, 0.0], "opacity": 1.0, "action": [1, 2]}\n'
        " ]\n"
        "}\n"
    )


def test_a_program_comes_back_from_its_file(tmp_path):
    PROGRAM.save(tmp_path / "a.json")
    assert Program.load(tmp_path / "a.json") == PROGRAM
    assert (tmp_path / "a.json").read_text() == PROGRAM.to_json()


def test_header_fields_that_may_be_unknown_may_be_left_out():
    short = fields()
    for name in ("seed", "origin", "checksum"):
        del short[name]
    assert Program.from_json(json.dumps(short)).seed is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], 'not a stroke program: it has no "format": "spiral-program"'),
        ({"format": "gcode"}, "not a stroke program"),
        (fields(version=2), "version 2 is newer than this software, which reads version 1; update it"),
        (fields(version=True), "version must be 1, got True"),
        (fields(version=1.0), "version must be 1, got 1.0"),
        (fields(version="1"), "version must be 1, got '1'"),
        (fields(author="me"), "the program: unknown field 'author'; known: canvas, checksum"),
        (fields(environment=5), "environment must be a text of at most 1000 characters, got 5"),
        (fields(renderer="c" * 1001), "renderer must be a text of at most 1000 characters, got 'c+"),
        (fields(seed=-1), "seed must be a whole number from 0 to 340282366920938463463374607431768211455, got -1"),
        (fields(seed=True), "seed must be a whole number .* got True"),
        (fields(origin=[]), r"origin must be a text of at most 1000 characters, got \[\]"),
        (fields(checksum="abc"), "checksum must be 64 hexadecimal digits, got 'abc'"),
        (fields(canvas=64), "canvas must be an object, got 64"),
        (fields(canvas={"width": 64}), "canvas: field 'background' is missing"),
        (canvas_fields(width=15), "canvas width must be a whole number from 16 to 1024, got 15"),
        (canvas_fields(height=1025), "canvas height must be a whole number from 16 to 1024, got 1025"),
        (canvas_fields(height=10**9), "canvas height must be a whole number from 1 to 8192, got 1000000000"),
        (canvas_fields(width=64.0), "canvas width must be a whole number .* got 64.0"),
        (canvas_fields(channels=4), r"canvas channels must be 1 \(grey\) or 3 \(RGB\), got 4"),
        (canvas_fields(channels=[1]), r"canvas channels must be 1 \(grey\) or 3 \(RGB\), got \[1\]"),
        (canvas_fields(channels=3.0), r"canvas channels must be 1 \(grey\) or 3 \(RGB\), got 3.0"),
        (canvas_fields(background=[0, 0]), r"canvas background must be 3 numbers \[red, green, blue\], got \[0, 0\]"),
        (canvas_fields(channels=1, background=[0, 0, 1]), "canvas background must have equal red, green and blue on a"),
        (canvas_fields(channels=1), "stroke 0: color must have equal red, green and blue on a grey canvas"),
        (fields(strokes={}), "strokes must be a list, got {}"),
        (fields(strokes=[[]]), r"stroke 0 must be an object, got \[\]"),
        (stroke_fields(colour=[0, 0, 0]), "stroke 0: unknown field 'colour'; known: action, color, control"),
        (stroke_fields(start=[0, True]), "stroke 0: start y must be a number from -1 to 2, got True"),
        (stroke_fields(start=[0]), r"stroke 0: start must be 2 numbers \[x, y\], got \[0\]"),
        (stroke_fields(width="1"), "stroke 0: width must be a number above 0 to 2, got '1'"),
        (stroke_fields(opacity=2), "stroke 0: opacity must be a number from 0 to 1, got 2"),
        (stroke_fields(action=[1.5]), r"stroke 0: action\[0\] must be a whole number"),
        (stroke_fields(action=None) | {"strokes": [{}]}, "stroke 0: field 'color' is missing"),
    ],
)
def test_a_wrong_field_is_refused_by_name(value, message):
    with pytest.raises(ProgramError, match=message):
        Program.from_json(json.dumps(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a stroke program: not JSON"),
        ("{", "not a stroke program: not JSON"),
        ("[" * 100_000, "not a stroke program: not JSON"),
        ("9" * 5000, "not a stroke program: not JSON"),
        ('{"format": NaN}', "NaN is not a number of a program; every number must be finite"),
        ("[-Infinity]", "-Infinity is not a number of a program"),
        ('{"seed": 1, "seed": 2}', "field 'seed' is given twice in one object"),
        (PROGRAM.to_json().replace("0.9,", "1e999,"), "stroke 0: control y|stroke 0: end x"),
    ],
)
def test_text_that_is_no_strict_json_is_refused(text, message):
    with pytest.raises(ProgramError, match=message):
        Program.from_json(text)


def test_more_strokes_than_the_limit_are_refused_before_any_is_made():
    with pytest.raises(ProgramError, match="a program has at most 100,000 strokes, got 100,001"):
        Program.from_json(json.dumps(fields(strokes=[0] * 100_001)))
    with pytest.raises(ProgramError, match="a program has at most 100,000 strokes, got 100,001"):
        Program(PROGRAM.canvas, (STROKE,) * 100_001)


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    with pytest.raises(ProgramError, match=r"cannot read .*a\.json: No such file"):
        Program.load(path)
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ProgramError, match=r"a\.json: not a stroke program: not a text file"):
        Program.load(path)
    path.write_text("{}")
    with pytest.raises(ProgramError, match=r"a\.json: not a stroke program: it has no"):
        Program.load(path)
    monkeypatch.setattr(spiral.program, "MAX_FILE_BYTES", 2**20)
    path.write_bytes(b" " * (2**20 + 1))
    with pytest.raises(ProgramError, match=r"a\.json: larger than 1 MiB"):
        Program.load(path)


@settings(max_examples=300)
@given(PROGRAMS, st.data())
def test_whatever_is_changed_gives_a_program_or_a_program_error(program, data):
    """One value anywhere in the file is exchanged for anything JSON can say."""
    root = json.loads(program.to_json())
    places = [(root, key) for key in root]
    for holder, key in places:
        inner = holder[key]
        keys = range(len(inner)) if isinstance(inner, list) else inner if isinstance(inner, dict) else ()
        places += [(inner, key) for key in keys]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(ANYTHING)
    try:
        Program.from_json(json.dumps(root))
    except ProgramError as error:
        assert "\n" not in str(error) and len(str(error)) < 400


@settings(max_examples=300)
@given(st.text() | ANYTHING.map(json.dumps))
def test_any_other_text_is_refused_with_a_program_error(text):
    with pytest.raises(ProgramError):
        Program.from_json(text)


def test_a_program_that_is_made_wrong_is_refused():
    with pytest.raises(ProgramError, match="canvas must be a CanvasSpec, got 64"):
        Program(64, ())
    with pytest.raises(ProgramError, match="stroke 1 must be a Stroke, got None"):
        Program(PROGRAM.canvas, (STROKE, None))
    with pytest.raises(ProgramError, match="stroke 0: color must have equal red, green and blue on a grey canvas"):
        Program(CanvasSpec(64, 64, 1), (STROKE,))


def test_replay_keeps_the_shape_of_the_canvas():
    assert replay(PROGRAM).shape == (48, 64, 3)
    assert replay(PROGRAM, size=640).shape == (480, 640, 3)
    tall = dataclasses.replace(PROGRAM, canvas=CanvasSpec(16, 1024, 3))
    assert replay(tall, size=16).shape == (16, 1, 3)


def test_replay_by_another_renderer_is_nearly_the_same():
    assert np.abs(replay(PROGRAM).astype(int) - replay(PROGRAM, renderer="reference")).mean() < 1


@pytest.mark.parametrize("size", [15, 8193, 64.0, True])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(InputError, match=f"size must be a whole number from 16 to 8192, got {size}"):
        replay(PROGRAM, size)


def test_an_unknown_renderer_is_refused_when_drawing_and_not_when_reading():
    strange = Program.from_json(dataclasses.replace(PROGRAM, renderer="cario").to_json())
    with pytest.raises(InputError, match="unknown renderer 'cario'; known: cairo, reference. Did you mean 'cairo'?"):
        replay(strange)


def test_the_checksum_tells_whether_the_replay_is_what_was_painted():
    signed = dataclasses.replace(PROGRAM, checksum=pixel_checksum(replay(PROGRAM)))
    assert matches_checksum(signed)
    assert not matches_checksum(dataclasses.replace(signed, strokes=signed.strokes[:1]))
    assert not matches_checksum(PROGRAM)


def test_the_checksum_is_sha_256_of_the_pixels():
    assert pixel_checksum(np.zeros((1, 1, 3), np.uint8)) == (
        "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c"
    )
