import pytest

import spiral.interchange.omniglot
from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import ProgramError
from spiral.interchange import load_drawing, load_program, save_programs

POINT = "10.000000,-20.500000,0.000000\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "0394_01.txt"


def test_y_runs_up_in_the_file_and_down_on_the_canvas(path):
    path.write_text("START\n52,-0,0\n52,-104,0\nBREAK\n0,-52,0\nBREAK\n")
    program, losses = load_drawing(path)
    line, dot = program.strokes
    assert line.start == pytest.approx((0.5, 0.5 / 105)) and line.end == pytest.approx((0.5, 104.5 / 105))
    assert dot.start == dot.end == pytest.approx((0.5 / 105, 0.5))
    assert (program.origin, losses) == ("0394_01.txt", {})


def test_a_file_is_written_as_documented(path, tmp_path):
    start, end = (10.5 / 105, 0.5 / 105), (11.0 / 105, 105.0 / 105)
    middle = tuple((a + b) / 2 for a, b in zip(start, end, strict=True))
    strokes = [Stroke(start, middle, end, Brush(1 / 32)), Stroke(start, start, start, Brush(1 / 32))]
    assert save_programs([Program(CanvasSpec(256, 256, 1), strokes, environment="none")], path) == {}
    assert path.read_text() == (
        "START\n"
        "10.000000,0.000000,0.000000\n"
        "10.500000,-104.500000,0.000000\n"
        "BREAK\n"
        "10.000000,0.000000,0.000000\n"
        "BREAK\n"
    )
    save_programs([load_program(path)], tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_text() == path.read_text()


def test_times_are_told(path):
    path.write_text(f"START\n{POINT}30,-40,16.5\nBREAK\n")
    assert load_drawing(path).losses.sentences() == ["drawings whose timing is not kept: 1"]


def test_points_outside_the_image_stay_where_they_are(path, tmp_path):
    path.write_text("START\n-3.000000,-118.410000,0.000000\nBREAK\n")
    assert save_programs([load_program(path)], tmp_path / "out.txt") == {}
    assert (tmp_path / "out.txt").read_text() == path.read_text()


def test_lines_may_end_as_on_windows_and_blank_ones_are_passed_over(path):
    path.write_bytes(b"\r\nSTART\r\n 1 , -2 , 0 \r\n\r\nBREAK\r\n")
    assert len(load_program(path).strokes) == 1


def test_a_drawing_without_strokes_is_one(path):
    path.write_text("START\n")
    assert load_program(path).strokes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not Omniglot strokes: the first line must be START, got ''"),
        (f"{POINT}BREAK\n", "not Omniglot strokes: the first line must be START, got '10.000000,"),
        ("START\nBREAK\n", "stroke 0 has no points"),
        (f"START\n{POINT}BREAK\nBREAK\n", "stroke 1 has no points"),
        (f"START\n{POINT}", "the last stroke has no line BREAK at its end; is the file cut short?"),
        (f"START\n{POINT}10.0,-20", "line 3 must be x,y,t or BREAK, got '10.0,-20'"),
        ("START\nSTART\n", "line 2 must be x,y,t or BREAK, got 'START'"),
        ("START\n" + "1," * 1000, "line 2 must be x,y,t or BREAK, got '1,1,1"),
        ("START\nnan,1,0\n", "line 2: x must be a number from -105.5 to 209.5, got nan"),
        ("START\n1,1e999,0\n", "line 2: y must be a number from -209.5 to 105.5, got inf"),
        ("START\n1,2,later\n", r"line 2: t must be a number from -1e\+12 to 1e\+12, got 'later'"),
        ("START\n210,2,0\n", "line 2: x must be a number from -105.5 to 209.5, got 210"),
        ("START\n" + "9" * 5000 + ",2,0\n", "line 2: x must be a number .* got inf"),
    ],
)
def test_a_wrong_line_is_refused_by_number_and_field(path, text, message):
    path.write_text(text)
    with pytest.raises(ProgramError, match=rf"0394_01\.txt: {message}") as caught:
        load_program(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_bytes_that_are_no_text_are_refused(path):
    path.write_bytes(b"START\n\xff\n")
    with pytest.raises(ProgramError, match=r"0394_01\.txt: not Omniglot strokes: not a text file"):
        load_program(path)


def test_a_file_too_large_is_refused(path, monkeypatch):
    monkeypatch.setattr(spiral.interchange.omniglot, "MAX_DRAWING_BYTES", 2**20)
    path.write_bytes(b"START\n" + b" " * 2**20)
    with pytest.raises(ProgramError, match=r"0394_01\.txt: larger than 1 MiB, the most such a file may have"):
        load_program(path)
