import re

import pytest
from plotter_programs import random_program

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.plotter.pens import Choice, Pen, choose_pen, color_distance, own_pens, pens_given, shown

WHITE, BLACK, RED = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)


def test_pens_as_typed():
    assert pens_given("black, red:0.5,#0055ff:1") == (Pen("black"), Pen("red", width=0.5), Pen("#0055ff", width=1.0))
    assert pens_given("black")[0].name == "black" and pens_given("#05f")[0].rgb == (0.0, 1 / 3, 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "blak",
            (
                "cannot read the pen 'blak': unknown colour 'blak'; accepted: a CSS name like red, or #rrggbb; write "
                "colour:width, like black:0.5"
            ),
        ),
        ("black:thin", "cannot read the pen 'black:thin': 'thin' is no width in mm; write colour:width"),
        ("black:0", "cannot read the pen 'black:0': pen width (mm) must be a number from 0.02 to 200, got 0.0"),
        ("black:nan", "cannot read the pen 'black:nan': pen width (mm) must be a number from 0.02 to 200, got nan"),
        ("rgb(300 0 0)", "cannot read the pen 'rgb(300 0 0)': unknown colour"),
        ("black,,red", "cannot read the pen '': unknown colour ''"),
    ],
)
def test_what_is_no_pen(text, message):
    with pytest.raises(InputError, match=re.escape(message)):
        pens_given(text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"opacity": 0.0}, "pen opacity must be a number from 0.001 to 1, got 0.0"),
        ({"name": "x" * 41}, "pen name must be a text of at most 40 characters"),
        ({"color": 3}, "unknown colour 3"),
        ({"color": ("red",)}, r"unknown colour \('red',\)"),
        ({"color": "#ff000080"}, "unknown colour '#ff000080'; accepted: a CSS name like red, or #rrggbb"),
    ],
)
def test_a_pen_that_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Pen(**{"color": "black"} | values)


def test_the_distance_of_colours_is_a_scale_from_the_same_to_black_and_white():
    assert color_distance(RED, RED) == 0.0
    assert color_distance(BLACK, WHITE) == pytest.approx(1.0, abs=1e-6)
    # Values of Ottosson's reference: red is L 0.6280, a 0.2249, b 0.1258.
    assert color_distance(RED, BLACK) == pytest.approx((0.6280**2 + 0.2249**2 + 0.1258**2) ** 0.5, abs=2e-4)
    assert color_distance((0.2, 0.2, 0.2), BLACK) == pytest.approx(0.3211, abs=2e-4)


def test_the_pen_nearest_in_colour_draws_and_of_equal_ones_the_nearest_in_width():
    pens = (Pen("black"), Pen("red", width=0.5), Pen("red", width=3.0), Pen("blue"))
    assert choose_pen((0.9, 0.1, 0.1), 2.5, pens, WHITE).pen == 2
    assert choose_pen((0.9, 0.1, 0.1), 0.6, pens, WHITE).pen == 1
    assert choose_pen(RED, 0.6, pens, WHITE) == Choice(1, 0.0)
    own_width = (Pen("black", width=2.0), Pen("black"))
    assert choose_pen(BLACK, 3.0, own_width, WHITE).pen == 1, "a pen without a width is as wide as the stroke"
    pen, error = choose_pen((0.5, 0.5, 0.5), 1.0, pens[:1], WHITE)
    assert pen == 0 and error == pytest.approx(color_distance((0.5, 0.5, 0.5), BLACK), abs=1e-6)


def test_a_stroke_as_pale_as_the_paper_is_left_out_unless_a_pen_is_as_pale():
    paleness = color_distance((0.99, 0.99, 0.99), WHITE)
    assert choose_pen((0.99, 0.99, 0.99), 1.0, (Pen("black"),), WHITE) == Choice(None, paleness)
    assert choose_pen(WHITE, 1.0, (Pen("white"),), WHITE) == Choice(0, 0.0)
    assert choose_pen((0.99, 0.99, 0.99), 1.0, (Pen("black"), Pen("#fdfdfd")), WHITE).pen == 1
    assert choose_pen((0.65, 0.65, 0.65), 1.0, (Pen("black"),), WHITE).pen == 0, "grey is drawn, if in black"


def test_a_translucent_pen_is_what_it_shows_on_the_paper():
    pens = (Pen("black", opacity=0.5), Pen("#404040"))
    assert choose_pen((0.5, 0.5, 0.5), 1.0, pens, WHITE) == Choice(0, 0.0)
    assert shown(BLACK, 0.25, WHITE) == (0.75, 0.75, 0.75)
    assert shown(RED, 0.25, BLACK) == (0.25, 0.0, 0.0)


def test_colours_that_differ_by_a_rounding_error_are_equal():
    grey = (155 / 255,) * 3
    pens = (Pen("#9b9b9b", width=3.0), Pen("black", width=0.5, opacity=100 / 255))
    assert shown(BLACK, 100 / 255, WHITE) != grey, "or this would test nothing"
    assert [choose_pen(grey, width, pens, WHITE).pen for width in (0.5, 3.0)] == [1, 0]


def test_every_colour_and_opacity_of_a_program_is_a_pen_of_its_own_in_the_order_of_painting():
    def stroke(color, opacity):
        return Stroke((0, 0), (0, 0), (1, 1), Brush(0.1, color, opacity))

    looks = [(RED, 1.0), (BLACK, 0.5), (RED, 1.0), (RED, 0.5), (BLACK, 0.0)]
    program = Program(CanvasSpec(16, 16, 3), [stroke(*look) for look in looks])
    assert own_pens(program) == (Pen("#ff0000"), Pen("#000000", opacity=0.5), Pen("#ff0000", opacity=0.5))


def test_own_pens_are_right_for_every_stroke():
    program = random_program(1, strokes=50)
    pens, background = own_pens(program), program.canvas.background
    for stroke in program.strokes:
        brush = stroke.brush
        choice = choose_pen(shown(brush.color, brush.opacity, background), 1.0, pens, background)
        assert (pens[choice.pen].rgb, pens[choice.pen].opacity) == (brush.color, brush.opacity)


def test_levels_above_255_are_no_colour():
    with pytest.raises(InputError, match=r"unknown colour 'rgb\(300,0,0\)'"):
        Pen("rgb(300,0,0)")
