import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.cli import main
from spiral.interchange import load_drawings, load_program
from spiral.program import matches_checksum, pixel_checksum, replay

PAINTING = Program(CanvasSpec(64, 32, 3), (Stroke((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), Brush(0.1, (1, 0, 0))),), seed=3)


@pytest.fixture
def cats(tmp_path):
    """Seven drawings, of a line that is one unit longer in each."""
    path = tmp_path / "cats.ndjson"
    lines = [json.dumps({"word": "cat", "drawing": [[[0, number + 1], [0, 0]]]}) for number in range(7)]
    path.write_text("\n".join(lines))
    return path


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def convert(*arguments):
    result = run("convert", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def length(program):
    return 256 * (program.strokes[0].end.x - program.strokes[0].start.x)


def test_a_folder_gets_programs_and_a_sheet(cats, tmp_path):
    assert convert(cats, "-o", tmp_path / "cats") == (f"{tmp_path / 'cats'}: 7 programs and sheet.png\n", "")
    names = sorted(path.name for path in (tmp_path / "cats").iterdir())
    assert names == [*(f"00{number}.json" for number in range(7)), "sheet.png"]
    assert Program.load(tmp_path / "cats" / "004.json") == load_program(cats, 4)
    with Image.open(tmp_path / "cats" / "sheet.png") as sheet:
        assert sheet.size == (3 * 66 + 2, 3 * 66 + 2)


def test_a_folder_that_is_there_may_have_a_dot_in_its_name(cats, tmp_path):
    folder = tmp_path / "cats.v2"
    folder.mkdir()
    convert(cats, "-o", folder)
    assert len(list(folder.iterdir())) == 8


@pytest.mark.parametrize("checksum", [True, False])
def test_the_first_strokes_of_a_painting_are_a_painting(tmp_path, checksum):
    strokes = [dataclasses.replace(PAINTING.strokes[0], end=(0.1 * end, 0.9)) for end in range(4)]
    whole = dataclasses.replace(PAINTING, strokes=strokes, origin="a painter")
    if checksum:
        whole = dataclasses.replace(whole, checksum=pixel_checksum(replay(whole)))
    whole.save(tmp_path / "whole.json")
    convert(tmp_path / "whole.json", "--strokes", 2, "-o", tmp_path / "half.json")
    half = Program.load(tmp_path / "half.json")
    assert half == dataclasses.replace(whole, strokes=strokes[:2], checksum=half.checksum)
    assert matches_checksum(half) == checksum
    convert(tmp_path / "whole.json", "--strokes", 9, "-o", tmp_path / "all.json")
    assert Program.load(tmp_path / "all.json") == whole


def test_one_drawing_of_many_may_be_chosen(cats, tmp_path):
    output = tmp_path / "cat.json"
    assert convert(cats, "--drawing", 3, "-o", output) == (f"wrote {output}: 1 drawing\n", "")
    assert Program.load(output) == load_program(cats, 3)


@pytest.mark.parametrize("suffix", [".ndjson", ".npz", ".npy"])
def test_many_files_become_one(cats, tmp_path, suffix):
    one, output = tmp_path / "one.svg", tmp_path / f"all{suffix}"
    convert(cats, "--drawing", 5, "-o", one)
    assert convert(cats, one, cats, "-o", output) == (f"wrote {output}: 15 drawings\n", "")
    lengths = [length(drawing.program) for drawing in load_drawings(output)]
    assert lengths == [1, 2, 3, 4, 5, 6, 7, 6, 1, 2, 3, 4, 5, 6, 7]


def test_what_is_lost_on_both_ways_is_noted_once_for_all_drawings(tmp_path):
    raw, painting, output = tmp_path / "raw.ndjson", tmp_path / "painting.json", tmp_path / "out.ndjson"
    raw.write_text(2 * '{"drawing":[[[0,300],[0,150],[0,9]]]}\n')
    PAINTING.save(painting)
    _, notes = convert(raw, painting, "-o", output)
    assert notes.splitlines() == [
        "Note: drawings whose timing is not kept: 2",
        "Note: drawings moved and scaled to fit the canvas: 2",
        "Note: points rounded to whole units, at most 1/512 of the canvas off: 21",
        "Note: strokes whose colour is not kept: 1",
        "Note: strokes whose width, pressure or opacity is not kept: 1",
        "Note: drawings not square, in the middle of a square one: 1",
        "Note: paintings whose environment, seed and actions are not kept: 1",
        "Note: curves drawn as polylines, at most a quarter of a unit off: 1",
    ]


def test_reading_stops_after_as_many_as_asked(cats, tmp_path):
    cats.write_text(cats.read_text() + "\nbroken\n")
    stdout, notes = convert(cats, "-n", 7, "-o", tmp_path / "out.ndjson")
    assert stdout.endswith(": 7 drawings\n")
    assert notes == "Note: stopped after 7 drawings, as many as asked for; if there are more, -n N reads them\n"


def test_one_of_many_may_be_all_that_is_asked_for(cats, tmp_path):
    output = tmp_path / "cat.svg"
    assert convert(cats, "-n", 1, "-o", output) == (
        f"wrote {output}: 1 drawing\n",
        "Note: stopped after 1 drawing, as many as asked for; if there are more, -n N reads them\n",
    )
    assert convert(cats, "-n", 1, "--drawing", 2, "-o", output) == (f"wrote {output}: 1 drawing\n", "")


def test_a_thousand_are_read_where_nobody_says_how_many(tmp_path):
    many = tmp_path / "many.ndjson"
    many.write_text(1001 * '{"drawing":[]}\n')
    assert convert(many, "-o", tmp_path / "out.ndjson") == (
        f"wrote {tmp_path / 'out.ndjson'}: 1,000 drawings\n",
        "Note: stopped after 1,000 drawings, as many as asked for; if there are more, -n N reads them\n",
    )


def test_the_pen_may_be_chosen(cats, tmp_path):
    convert(cats, "--drawing", 0, "--pen-width", 0.125, "-o", tmp_path / "cat.json")
    assert load_program(tmp_path / "cat.json").strokes[0].brush == Brush(0.125)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cats.ndjson", "-o", "out.gif"], "unknown format of out.gif: suffix '.gif'; accepted: .txt, .json, .ndjson,"),
        (["a_file", "-o", "out.npz"], "unknown format of a_file: suffix ''; accepted: .txt, .json, .ndjson,"),
        (["cats.ndjson", "-n", "2", "-o", "cats.ndjson"], "cats.ndjson is what is read; give the output another name"),
        (["cats.ndjson", "-o", "out.svg"], "cannot write out.svg: such a file holds one drawing, and there are more; "),
        (
            ["two_and_broken.ndjson", "-o", "out.txt"],
            "cannot write out.txt: such a file holds one drawing, and there ar",
        ),
        (["cats.ndjson", "cats.ndjson", "--drawing", "1", "-o", "out"], "--drawing chooses from one file, got 2 files"),
        (["cats.ndjson", "--drawing", "7", "-o", "out"], "cats.ndjson has no drawing 7: it holds 7, counted from 0"),
        (["cats.ndjson", "--drawing", "-1", "-o", "out"], "the drawing's number must be a whole number from 0"),
        (["cats.ndjson", "-n", "0", "-o", "out"], "-n must be a whole number from 1 to 10000, got 0"),
        (["cats.ndjson", "-n", "10001", "-o", "out"], "-n must be a whole number from 1 to 10000, got 10001"),
        (["cats.ndjson", "--pen-width", "3", "-o", "out"], "the pen's width must be a number above 0 to 2, got 3.0"),
        (["cats.ndjson", "broken.ndjson", "-o", "out"], "broken.ndjson: drawing 1: not JSON (Expecting value"),
        (["cats.ndjson", "-o", "a_file"], "cannot write programs to a_file: it is a file; give a folder"),
        (["cats.ndjson", "--strokes", "-1", "-o", "out"], "--strokes must be a whole number from 0 to 100000, got -1"),
        (["empty.ndjson", "-o", "out"], "empty.ndjson holds no drawings"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(cats, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.ndjson").write_text('{"drawing":[]}\nbroken\n')
    (tmp_path / "two_and_broken.ndjson").write_text(2 * '{"drawing":[]}\n' + "broken\n")
    (tmp_path / "empty.ndjson").write_text("")
    (tmp_path / "a_file").write_text("")
    before = sorted(tmp_path.iterdir())
    result = run("convert", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"Error: {message}") and result.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_replay_draws_any_format_and_says_what_is_lost(cats, tmp_path):
    output = tmp_path / "cat.png"
    result = run("replay", cats, "--drawing", 6, "-o", output, "--size", 256)
    assert (result.exit_code, result.stderr) == (0, "")
    ink = np.asarray(Image.open(output)) < 128
    assert ink[0, :10].all() and not ink[:, 20:].any()
    (tmp_path / "raw.ndjson").write_text('{"drawing":[[[0,300],[0,150],[0,9]]]}\n')
    result = run("replay", tmp_path / "raw.ndjson", "-o", output)
    assert result.stderr.splitlines() == [
        "Note: drawings whose timing is not kept: 1",
        "Note: drawings moved and scaled to fit the canvas: 1",
    ]
    result = run("replay", cats, "--drawing", 7, "-o", output)
    assert (result.exit_code, result.stderr) == (2, f"Error: {cats} has no drawing 7: it holds 7, counted from 0\n")


def test_every_format_is_listed_with_its_suffixes():
    listed = run("list", "formats").stdout
    assert all(f"{suffix}" in listed for suffix in (".json", ".ndjson", ".txt", ".npz", ".npy", ".svg"))


def test_a_folder_is_not_written_over_what_is_read_from_it(cats, tmp_path):
    convert(cats, "-o", tmp_path / "cats")
    before = {path: path.read_bytes() for path in (tmp_path / "cats").iterdir()}
    files = sorted((tmp_path / "cats").glob("*.json"))
    result = CliRunner().invoke(main, ["convert", str(files[3]), str(files[0]), "-o", str(tmp_path / "cats")])
    assert result.exit_code == 2 and "is the folder of what is read, whose files would be mixed" in result.stderr
    assert {path: path.read_bytes() for path in (tmp_path / "cats").iterdir()} == before
