import json

import pytest

import spiral.interchange.quickdraw
from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import ProgramError
from spiral.interchange import load_drawing, load_drawings, load_program, save_programs

ABOUT = {
    "word": "cat",
    "countrycode": "VE",
    "timestamp": "2017-03-02 23:25:10.07453 UTC",
    "recognized": True,
    "key_id": "5201136883597312",
}
STROKES = [[[130, 113, 99], [72, 40, 0]], [[0], [255]]]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cat.ndjson"


def write(path, *drawings):
    path.write_text("".join(json.dumps(drawing, separators=(",", ":")) + "\n" for drawing in drawings))


def pixels_of(program):
    return [tuple(round(256 * value - 0.5, 9) for value in stroke.start) for stroke in program.strokes]


def test_a_published_line_comes_back_byte_for_byte(path, tmp_path):
    write(path, ABOUT | {"drawing": STROKES}, {"word": "", "recognized": False, "key_id": "1", "drawing": []})
    drawings = list(load_drawings(path))
    assert [drawing.losses for drawing in drawings] == [{}, {}]
    assert save_programs([drawing.program for drawing in drawings], tmp_path / "out.ndjson") == {}
    assert (tmp_path / "out.ndjson").read_bytes() == path.read_bytes()


def test_what_is_said_of_a_drawing_is_in_the_origin(path):
    write(path, {"drawing": []}, ABOUT | {"drawing": STROKES})
    assert load_program(path).origin == "cat.ndjson, drawing 0"
    assert load_program(path, 1).origin == f"cat.ndjson, drawing 1: {json.dumps(ABOUT)}"


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({"word": "cat" * 400}, "cat.ndjson, drawing 0"),
        ({"word": "cat", "key_id": None}, 'cat.ndjson, drawing 0: {"word": "cat"}'),
        ({"artist": "me"}, "cat.ndjson, drawing 0"),
    ],
)
def test_fields_that_cannot_be_kept_are_said(path, fields, origin):
    write(path, fields | {"drawing": STROKES})
    program, losses = load_drawing(path)
    assert program.origin == origin
    assert losses.sentences() == ["drawings of which not all fields are kept: 1"]


@pytest.mark.parametrize("origin", [None, "digits, 500 steps", 'digits: {"word"}', "digits: {" * 100 + "}" * 100])
def test_other_programs_get_their_origin_as_the_word_and_their_place_as_the_id(path, origin):
    program = Program(CanvasSpec(256, 256, 1), (), environment="none", origin=origin)
    save_programs([program, program], path)
    fields = [json.loads(line) for line in path.read_text().splitlines()]
    assert fields == [
        {"word": origin or "", "recognized": False, "key_id": key_id, "drawing": []} for key_id in ("0", "1")
    ]


def test_what_is_written_are_whole_numbers_in_one_line(path):
    curve = Stroke((0.0, 0.5), (0.5, -2.0 / 3), (1.0, 0.5), Brush(1 / 32))
    losses = save_programs([Program(CanvasSpec(256, 256, 1), (curve,), environment="none")], path)
    [line] = path.read_text().splitlines()
    [[xs, ys]] = json.loads(line)["drawing"]
    assert len(xs) == len(ys) > 10
    assert all(isinstance(value, int) and 0 <= value <= 255 for value in xs + ys)
    assert set(losses) == {
        "curves drawn as polylines, at most a quarter of a unit off",
        "points rounded to whole units, at most 1/512 of the canvas off",
        "points outside the canvas, moved to its edge",
    }


def test_raw_drawings_are_fitted_and_their_times_told(path):
    raw = [[[100.5, 200.5], [50, 50], [0, 18]], [[300.5], [150], [40]]]
    write(path, {"drawing": raw})
    program, losses = load_drawing(path)
    assert pixels_of(program) == [(0.0, 63.75), (255.0, 191.25)]
    assert losses.sentences() == [
        "drawings whose timing is not kept: 1",
        "drawings moved and scaled to fit the canvas: 1",
    ]


def test_raw_drawings_are_fitted_even_where_they_are_small(path):
    write(path, {"drawing": [[[10, 20], [10, 20], [0, 0]]]})
    program, losses = load_drawing(path)
    assert pixels_of(program) == [(0.0, 0.0)] and list(losses) == ["drawings moved and scaled to fit the canvas"]


def test_drawings_without_times_are_fitted_only_where_they_must_be(path):
    write(path, {"drawing": [[[10, 255], [10, 20]]]}, {"drawing": [[[10, 256], [10, 10]]]})
    (first, none), (second, some) = load_drawings(path)
    assert pixels_of(first) == [(10, 10)] and none == {}
    assert pixels_of(second) == [(0, 127.5)] and list(some) == ["drawings moved and scaled to fit the canvas"]


def test_blank_lines_are_no_drawings(path):
    path.write_bytes(b'\r\n{"drawing":[]}\r\n\r\n{"drawing":[[[7],[7]]]}')
    assert [len(drawing.program.strokes) for drawing in load_drawings(path)] == [0, 1]


BAD_POINT = r"stroke 0: x\[1\] must be a number from -1e\+06 to 1e\+06, got"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"not JSON \("),
        ("[" * 100_000, r"not JSON \("),
        ('{"drawing": [[[' + "9" * 5000 + "],[0]]]}", r"not JSON \("),
        ("[]", 'not a Quick, Draw! drawing: it has no list "drawing"'),
        ('{"word": "cat"}', 'not a Quick, Draw! drawing: it has no list "drawing"'),
        ('{"drawing": "[]"}', 'not a Quick, Draw! drawing: it has no list "drawing"'),
        ('{"drawing": [7]}', r"stroke 0 must be \[\[x, ...\], \[y, ...\]\] or .*\[ms, ...\]\], got 7"),
        ('{"drawing": [[[1],[1]],[[1]]]}', r"stroke 1 must be .* got \[\[1\]\]"),
        ('{"drawing": [[[1],[1],[1],[1]]]}', r"stroke 0 must be .* got \[\[1\], \[1\]"),
        ('{"drawing": [[[1],1]]}', r"stroke 0 must be .* got \[\[1\], 1\]"),
        ('{"drawing": [[[1],[1,2]]]}', r"stroke 0 must have as many x as y and times, at least one, got \[1, 2\]"),
        ('{"drawing": [[[1],[1],[]]]}', r"stroke 0 must have as many x as y and times, at least one, got \[1, 1, 0\]"),
        ('{"drawing": [[[],[]]]}', r"stroke 0 must have as many x as y and times, at least one, got \[0, 0\]"),
        ('{"drawing": [[[1,NaN],[1,1]]]}', f"{BAD_POINT} nan"),
        ('{"drawing": [[[1,-Infinity],[1,1]]]}', f"{BAD_POINT} -inf"),
        ('{"drawing": [[[1,1e999],[1,1]]]}', f"{BAD_POINT} inf"),
        ('{"drawing": [[[1,' + "9" * 400 + "],[1,1]]]}", f"{BAD_POINT} 999999"),
        ('{"drawing": [[[1,true],[1,1]]]}', f"{BAD_POINT} True"),
        ('{"drawing": [[[1,"2"],[1,1]]]}', f"{BAD_POINT} '2'"),
        ('{"drawing": [[[1,null],[1,1]]]}', f"{BAD_POINT} None"),
    ],
)
def test_a_wrong_line_is_refused_by_drawing_and_field(path, line, message):
    path.write_text('{"drawing":[]}\n' + line + "\n")
    with pytest.raises(ProgramError, match=rf"cat\.ndjson: drawing 1: {message}") as caught:
        load_program(path, 1)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_bytes_that_are_no_text_are_refused(path):
    path.write_bytes(b'{"drawing": [], "word": "\xff"}\n')
    with pytest.raises(ProgramError, match=r"cat\.ndjson: drawing 0: not JSON \('utf-8' codec can't decode"):
        load_program(path)


def test_a_line_without_an_end_is_not_read_to_it(path, monkeypatch):
    monkeypatch.setattr(spiral.interchange.quickdraw, "MAX_DRAWING_BYTES", 2**20)
    path.write_bytes(b'{"drawing":[]}\n' + b" " * 2**20 + b'{"drawing":[]}\n')
    assert load_program(path).strokes == ()
    path.write_bytes(b'{"drawing":[]}\n' + b"[" * (2**20 + 1))
    with pytest.raises(ProgramError, match=r"drawing 1: its line is longer than 1 MiB, the most a drawing may have"):
        load_program(path, 1)
