"""What every format of drawings must do; a new one is picked up by being registered."""

import inspect
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spiral import Brush, Point, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError, ProgramError
from spiral.interchange import FORMATS, load_drawings, load_program, save_programs
from spiral.interchange.base import Drawing, Losses
from spiral.interchange.polylines import PEN_WIDTH, program_of
from spiral.interchange.quickdraw import QuickDraw

KINDS = [FORMATS.get(name) for name in FORMATS.names()]
SUFFIXES = [suffix for kind in KINDS for suffix in kind.suffixes]
HOSTILE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def drawn(*polylines):
    points = [[Point(*point) for point in polyline] for polyline in polylines]
    return program_of(points, 256, "by hand", PEN_WIDTH, Losses())


# In whole units, with a point given twice, a dot, a line that crosses the frame, and nothing.
HELD_BY_ALL = [
    drawn([(10, 10), (200, 30), (200, 30), (60, 250)], [(128, 127)], [(0, 255), (255, 0)]),
    drawn([(3, 4), (5, 6)]),
    drawn(),
]
PAINTING = Program(
    CanvasSpec(64, 48, 3, background=(0.0, 0.5, 1.0)),
    (Stroke((0.1, 0.2), (0.5, 1.5), (0.9, 0.2), Brush(0.2, (1.0, 0.0, 0.0), 0.5, (0.2, 1.0)), action=(1, 2)),),
    seed=3,
    origin="digits",
)


def test_the_registered_names():
    assert FORMATS.names() == ["omniglot", "program", "quickdraw", "sketch-rnn", "svg"]


def test_no_two_formats_share_a_suffix_and_each_says_what_it_is():
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    for kind in KINDS:
        assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in kind.suffixes)
        line = inspect.getdoc(kind).partition("\n")[0]
        assert all(suffix in line for suffix in kind.suffixes), line


def kind_of(suffix):
    return next(kind for kind in KINDS if suffix in kind.suffixes)


def batches(suffix):
    """What goes into one file."""
    return [[program] for program in HELD_BY_ALL] if kind_of(suffix).holds_one else [HELD_BY_ALL]


def points_of(program):
    return [value for stroke in program.strokes for point in (stroke.start, stroke.end) for value in point]


def check_round_trip(suffix, folder):
    for programs in batches(suffix):
        there, back = folder / f"there{suffix}", folder / f"back{suffix}"
        assert save_programs(programs, there) == {}
        drawings = list(load_drawings(there))
        assert [drawing.losses for drawing in drawings] == [{}] * len(programs)
        for program, drawing in zip(programs, drawings, strict=True):
            read = drawing.program
            assert len(read.strokes) == len(program.strokes)
            assert points_of(read) == pytest.approx(points_of(program), abs=1e-8)
            assert {stroke.brush for stroke in read.strokes} == {stroke.brush for stroke in program.strokes}
            assert (read.canvas, read.environment) == (program.canvas, program.environment)
            for before, after, was_before, was_after in zip(
                read.strokes, read.strokes[1:], program.strokes, program.strokes[1:], strict=False
            ):
                assert (before.end == after.start) == (was_before.end == was_after.start), "joined exactly"
        assert [load_program(there, number) for number in range(len(programs))] == [read for read, _ in drawings]
        save_programs([read for read, _ in drawings], back)
        assert back.read_bytes() == there.read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_can_be_held_comes_back_with_nothing_lost(suffix, tmp_path):
    check_round_trip(suffix, tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_not_kept_is_said(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    said = save_programs([PAINTING], path).sentences()
    assert (load_program(path) == PAINTING) == (said == [])
    assert all("\n" not in sentence for sentence in said)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_holds_as_many_as_the_format_allows(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    many = [PAINTING, PAINTING]
    if kind_of(suffix).holds_one:
        with pytest.raises(InputError, match="such a file holds exactly one drawing, got 2"):
            save_programs(many, path)
    else:
        save_programs(many, path)
        assert len(list(load_drawings(path))) == 2
    with pytest.raises(InputError, match="one drawing, got 0"):
        save_programs([], path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_drawing_that_is_not_there_is_refused(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    save_programs([PAINTING], path)
    with pytest.raises(ProgramError, match=r"a\.\w+ has no drawing 1: it holds 1, counted from 0"):
        load_program(path, 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_cannot_be_read_or_written_is_named(suffix, tmp_path):
    missing, folder = tmp_path / f"missing{suffix}", tmp_path / f"folder{suffix}"
    folder.mkdir()
    with pytest.raises(ProgramError, match=rf"cannot read .*missing\{suffix}: No such file or directory"):
        load_program(missing)
    with pytest.raises(ProgramError, match=rf"cannot read .*folder\{suffix}: it is a folder; give files, like .*json"):
        load_program(folder)
    with pytest.raises(InputError, match=rf"cannot write .*folder\{suffix}: it is a folder"):
        save_programs([PAINTING], folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_pens_width_is_that_of_drawings_without_widths(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    save_programs([PAINTING], path)
    [drawing] = load_drawings(path, pen_width=0.5)
    assert {stroke.brush.width for stroke in drawing.program.strokes} in ({0.5}, {PAINTING.strokes[0].brush.width})
    for width in (0.0, 2.1, math.nan):
        with pytest.raises(InputError, match="the pen's width must be a number above 0 to 2, got"):
            next(load_drawings(path, pen_width=width))


def check_hostile(path, data):
    path.write_bytes(data)
    try:
        drawings = list(load_drawings(path))
    except ProgramError as error:
        assert str(error).startswith(f"{path}") and "\n" not in str(error) and len(str(error)) < len(str(path)) + 400
    else:
        assert all(isinstance(drawing.program, Program) for drawing in drawings)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("data", [b"", b"\n", b"\0", b"\xff\xfe", b"{}", b"[" * 100_000, b"9" * 5000, b"PK\5\6" * 9])
def test_a_file_of_something_else_is_refused(suffix, data, tmp_path):
    check_hostile(tmp_path / f"a{suffix}", data)
    with pytest.raises(ProgramError):
        load_program(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
@HOSTILE
@given(data=st.data())
def test_whatever_is_changed_gives_programs_or_one_line(suffix, data, tmp_path):
    """Some bytes anywhere in the file are exchanged for any others, or it is cut short."""
    path = tmp_path / f"a{suffix}"
    if not path.exists():
        save_programs([HELD_BY_ALL[0]], path)
        (tmp_path / "good").write_bytes(path.read_bytes())
    good = (tmp_path / "good").read_bytes()
    begin = data.draw(st.integers(0, len(good)))
    end = data.draw(st.sampled_from([begin, begin + 1, begin + 4, len(good)]))
    check_hostile(path, good[:begin] + data.draw(st.binary(max_size=8)) + good[end:])


class ForgetsTheLastPoint(QuickDraw):
    def drawing(self, record, name, pen_width):
        program, losses = super().drawing(record, name, pen_width)
        return Drawing(Program(program.canvas, program.strokes[:-1], environment=program.environment), losses)


class LosesWithoutAWord(QuickDraw):
    def write(self, programs, path):
        super().write(programs, path)
        return Losses()


class NumbersAnew(QuickDraw):
    times = 0

    def write(self, programs, path):
        NumbersAnew.times += 1
        losses = super().write(programs, path)
        path.write_text(path.read_text().replace('"key_id":"', f'"key_id":"{NumbersAnew.times}'))
        return losses


@pytest.mark.parametrize("wrong", [ForgetsTheLastPoint, NumbersAnew])
def test_a_wrong_format_is_rejected(wrong, tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS._entries, "quickdraw", wrong)
    with pytest.raises(AssertionError):
        check_round_trip(".ndjson", tmp_path)


def test_a_silent_format_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS._entries, "quickdraw", LosesWithoutAWord)
    with pytest.raises(AssertionError):
        test_what_is_not_kept_is_said(".ndjson", tmp_path)
