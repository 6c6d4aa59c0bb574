import numpy as np
import pytest
from PIL import Image

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.program_folder import save_folder


def dot(width, height, channels=1, background=(1.0, 1.0, 1.0), color=(0.0, 0.0, 0.0)):
    middle = (0.5, 0.5)
    return Program(CanvasSpec(width, height, channels, background), [Stroke(middle, middle, middle, Brush(0.5, color))])


def test_programs_of_any_shape_are_on_one_sheet_in_the_middle_of_their_background(tmp_path):
    programs = [dot(256, 256), dot(64, 16, 3, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)), dot(16, 1024)]
    assert save_folder(programs, tmp_path / "new" / "art") == f"{tmp_path}/new/art: 3 programs and sheet.png"
    assert [Program.load(tmp_path / "new" / "art" / f"00{i}.json") for i in range(3)] == programs
    sheet = np.asarray(Image.open(tmp_path / "new" / "art" / "sheet.png").convert("RGB")).astype(int)
    first, second, third = (sheet[top : top + 64, left : left + 64] for top, left in ((2, 2), (2, 68), (68, 2)))
    assert ((first == 0).all(axis=2)).sum() == pytest.approx(np.pi * 16**2, rel=0.1)
    red = (second == [255, 0, 0]).all(axis=2)
    assert red[28:36, 28:36].sum() > 30 and not red[:26].any() and not red[38:].any()
    assert (second[:24] == [0, 0, 255]).all() and (second[40:] == [0, 0, 255]).all()
    assert (third[:, [0, 20, 50]] == 255).all() and third[:, 31].min() < 255


def test_a_hundred_are_on_the_sheet_and_numbers_have_as_many_digits_as_the_last(tmp_path):
    strange = Program(CanvasSpec(16, 16, 1), (), renderer="cario")  # which nobody draws
    save_folder([dot(16, 16)] * 1000 + [strange], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*(f"{i:04d}.json" for i in range(1001)), "sheet.png"}
    assert Image.open(tmp_path / "sheet.png").size == (10 * 66 + 2, 10 * 66 + 2)


def test_programs_that_draw_nothing_and_those_that_are_replaced_are_counted(tmp_path):
    nothing = Program(CanvasSpec(16, 16, 1), ())
    assert save_folder([nothing, dot(16, 16), nothing], tmp_path) == (
        f"{tmp_path}: 3 programs and sheet.png; without strokes: 2"
    )
    assert save_folder([dot(16, 16)] * 2, tmp_path) == (
        f"{tmp_path}: 2 programs and sheet.png; 2 programs of these names replaced; 1 other program left there from before"
    )


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "art").write_text("")
    with pytest.raises(InputError, match=r"cannot write programs to .*art: it is a file; give a folder"):
        save_folder([dot(16, 16)], tmp_path / "art")


def test_a_program_that_cannot_be_drawn_is_refused_before_any_is_written(tmp_path):
    strange = Program(CanvasSpec(16, 16, 1), (), renderer="cario")
    with pytest.raises(InputError, match="unknown renderer 'cario'"):
        save_folder([dot(16, 16), strange], tmp_path / "art")
    assert not (tmp_path / "art").exists()
