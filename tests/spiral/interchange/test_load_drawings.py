import pytest

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError, ProgramError
from spiral.interchange import format_of, load_drawing, load_drawings, load_program
from spiral.interchange.quickdraw import QuickDraw

LINE = '{"drawing":[[[0,255],[7,7]]]}\n'


def test_the_suffix_says_the_format_in_any_case():
    assert isinstance(format_of("CAT.NDJSON"), QuickDraw)


@pytest.mark.parametrize("name", ["cat.png", "cat", "cat.json.gz"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=rf"unknown format of {name}: suffix '.*'; accepted: \.txt, \.json, \.ndjson"):
        format_of(name)
    with pytest.raises(InputError, match="accepted"):
        load_program(name)


def test_nothing_is_read_beyond_what_is_asked_for(tmp_path):
    path = tmp_path / "cat.ndjson"
    path.write_text(f"{LINE}broken\n{LINE}{LINE}broken\n")
    drawings = load_drawings(path, first=2)
    assert [next(drawings).program.origin, next(drawings).program.origin] == [
        "cat.ndjson, drawing 2",
        "cat.ndjson, drawing 3",
    ]
    with pytest.raises(ProgramError, match=r"cat\.ndjson: drawing 4: not JSON \(Expecting value"):
        next(drawings)


@pytest.mark.parametrize(("number", "got"), [(-1, "-1"), (True, "True"), (1.0, r"1\.0")])
def test_a_number_that_is_none_is_refused(tmp_path, number, got):
    with pytest.raises(InputError, match=f"the drawing's number must be a whole number from 0 to .*, got {got}"):
        load_program(tmp_path / "cat.ndjson", number)


def test_a_program_file_is_read_as_ever(tmp_path):
    program = Program(CanvasSpec(64, 32, 3), (Stroke((0, 0), (0.5, 1), (1, 0), Brush(0.1, (1, 0, 0))),), seed=5)
    program.save(tmp_path / "a.json")
    assert load_program(tmp_path / "a.json") == program
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ProgramError) as caught:
        load_program(tmp_path / "a.json")
    assert str(caught.value) == f'{tmp_path / "a.json"}: not a stroke program: it has no "format": "spiral-program"'


@pytest.mark.parametrize(("lines", "told"), [(1, False), (2, True)])
def test_of_several_drawings_the_first_is_taken_and_that_is_told(tmp_path, lines, told):
    path = tmp_path / "cats.ndjson"
    path.write_text(lines * '{"drawing": [[[0, 255], [0, 255]]]}\n')
    sentence = "files of several drawings, of which the first is taken (--drawing N takes another): 1"
    assert (sentence in load_drawing(path).losses.sentences()) == told
    assert sentence not in load_drawing(path, 0).losses.sentences()


def test_a_second_drawing_that_cannot_be_read_is_no_matter(tmp_path):
    path = tmp_path / "cats.ndjson"
    path.write_text('{"drawing": [[[0, 255], [0, 255]]]}\nnonsense\n')
    assert len(load_drawing(path).program.strokes) == 1
