from dataclasses import replace

import numpy as np
import pytest
from plotter_programs import letter_f, random_program

from spiral import Program, replay
from spiral.arrange import arranged
from spiral.canvas import CanvasSpec
from spiral.errors import ProgramError


@pytest.mark.parametrize(("width", "height", "columns"), [(32, 32, 3), (64, 32, 2), (32, 64, 4)])
def test_each_program_is_painted_at_its_place(width, height, columns):
    programs = [Program(CanvasSpec(width, height, 3), random_program(seed).strokes) for seed in range(6)]
    sheet = arranged(programs)
    picture = replay(sheet)
    rows = -(-6 // columns)
    assert picture.shape[:2] == (rows * height, columns * width)
    for number, program in enumerate(programs):
        row, column = divmod(number, columns)
        tile = picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
        inside = (slice(8, -8), slice(8, -8))  # what neighbours paint over the edge may be there too
        assert np.abs(tile[inside].astype(int) - replay(program)[inside]).mean() < 4.0


def test_strokes_keep_their_order_and_one_program_is_itself():
    programs = [random_program(1), letter_f()]
    assert arranged(programs[:1]) is programs[0]
    twice = arranged([replace(programs[0], seed=3, checksum="0" * 64)] * 2)
    assert [stroke.brush.color for stroke in twice.strokes] == 2 * [
        stroke.brush.color for stroke in programs[0].strokes
    ]
    assert twice.origin == "2 programs" and twice.seed is twice.checksum is None


def test_a_large_sheet_stays_within_the_largest_canvas():
    sheet = arranged([letter_f()] * 400)
    assert (sheet.canvas.width, sheet.canvas.height) == (1024, 1024) and len(sheet.strokes) == 1200
    wide = arranged([letter_f(64, 32)] * 1000).canvas  # 23 columns and 44 rows
    assert (wide.width, wide.height) == (1024, round(1024 * 44 * 32 / (23 * 64)))


def test_a_row_has_no_more_columns_than_programs():
    canvas = arranged([letter_f(16, 64)] * 2).canvas
    assert (canvas.width, canvas.height) == (32, 64)


def test_what_cannot_be_arranged():
    with pytest.raises(ProgramError, match="there must be at least one program to arrange, got none"):
        arranged([])
    with pytest.raises(ProgramError) as refused:
        arranged([letter_f(32, 32), letter_f(64, 32)], ["a.json", "b.json"])
    assert str(refused.value) == (
        "programs on one sheet must have canvases of the same shape and background; b.json has 64 x 32 pixels on "
        "[1.0, 1.0, 1.0], a.json has 32 x 32 pixels on [1.0, 1.0, 1.0]; export them one by one"
    )
    grey = Program(CanvasSpec(32, 32, 1, (0.5, 0.5, 0.5)), letter_f().strokes)
    with pytest.raises(ProgramError, match="program 1 has 32 x 32 pixels on .0.5, 0.5, 0.5., program 0 has"):
        arranged([letter_f(32, 32), grey])


def test_canvases_of_different_sizes_and_channels_share_a_sheet():
    color = Program(CanvasSpec(16, 16, 3), letter_f().strokes)
    sheet = arranged([letter_f(64, 64), color])
    assert (sheet.canvas.width, sheet.canvas.height, sheet.canvas.channels) == (128, 64, 3)
    assert np.array_equal(replay(sheet)[:, :64], replay(arranged([color, color]), 128)[:, :64])
