import dataclasses
import math
import re

import pytest
from plotter_programs import BLACK, RED, polyline, random_program

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.plotter.events import Dip
from spiral.plotter.machine import load_machine
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options, plan
from spiral.plotter.report import Report, rows
from spiral.words import clock, counted

CANVAS = CanvasSpec(64, 64, 3)


def planned(strokes, machine="grbl-servo", **options):
    return plan(Program(CANVAS, strokes), load_machine(machine), Options(**options))


def stroke(color=BLACK, opacity=1.0, width=0.0028, pressure=(1.0, 1.0)):
    return Stroke((0.1, 0.1), (0.5, 0.5), (0.9, 0.9), Brush(width, color, opacity, pressure))


def test_the_report_counts_ink_travel_lifts_and_bounds():
    strokes = [*polyline([(0, 1), (1, 1)], width=0.0028), *polyline([(1, 0), (0, 0)], width=0.0028)]
    one = planned(strokes, page="100x100", margin=0.0, landscape=False).after
    assert (one.strokes, one.lifts, one.pen_changes, one.dips, one.pauses) == (2, 2, 0, 0, 0)
    assert one.ink == pytest.approx(200.0) and one.travel == pytest.approx(0.0 + 100.0 + 100.0)
    assert one.bounds == (0.0, 0.0, 100.0, 100.0)


def test_travel_begins_and_ends_at_the_park():
    machine = dataclasses.replace(load_machine("grbl-servo"), park=(30.0, 40.0))
    program = Program(CANVAS, polyline([(0, 1), (1, 1)], width=0.0028))
    one = plan(program, machine, Options(page="100x100", margin=0.0)).after
    assert one.travel == pytest.approx(50.0 + math.hypot(70.0, 40.0))


def test_the_safe_order_begins_at_the_park():
    machine = dataclasses.replace(load_machine("grbl-servo"), park=(100.0, 0.0))
    program = Program(CANVAS, [stroke_between((0.5, 0.4), (1, 0.9)), stroke_between((1, 1), (0.5, 0.5))])
    assert plan(program, machine, Options(page="100x100", margin=0.0, order="safe")).order == (1, 0)


def stroke_between(start, end):
    return polyline([start, end], width=0.0028)[0]


def test_strokes_left_out_count_in_the_order_and_change_no_picture():
    crossing = [(0.1, 0.5), (0.9, 0.5)], [(0.5, 0.1), (0.5, 0.9)], [(0.1, 0.1), (0.9, 0.9)]
    lines = [polyline(points, 0.1, color)[0] for points, color in zip(crossing, (BLACK, RED, BLACK), strict=True)]
    strokes = [stroke((1.0, 1.0, 1.0), width=0.1), *lines]
    one = planned(strokes, pens=(Pen("black"), Pen("red")), order="colour")
    assert one.order == (1, 3, 2)
    pictures = [replay(Program(CANVAS, [strokes[i] for i in order])) for order in ((1, 2, 3), (1, 3, 2))]
    changed = (pictures[0] != pictures[1]).any(axis=2).sum()
    assert changed > 0
    assert f"this order changes the picture: {changed} of 4,096 pixels" in "; ".join(one.notes)


def test_of_several_wrong_colours_the_worst_is_named():
    strokes = [stroke((1.0, 1.0, 1.0)), stroke(), stroke((0.5, 0.5, 0.5)), stroke(RED), stroke((0.4, 0.4, 0.4))]
    assert planned(strokes).notes == (
        "3 strokes in a colour no pen has: at worst 0.68 off (0 the same, 1 black for white), stroke 4, #ff0000 by pen black",
        "1 stroke left out: as pale as the paper, or without pressure",
    )


@pytest.mark.parametrize(("red", "noted"), [(0.99, False), (0.9, True)])
def test_a_colour_that_can_be_seen_to_be_another_is_noted(red, noted):
    notes = planned([stroke((red, 0.0, 0.0))], pens=(Pen("red", width=0.5),)).notes
    assert any("in a colour no pen has" in note for note in notes) == noted


@pytest.mark.parametrize(("times_the_pen", "noted"), [(1.04, False), (1.06, True)])
def test_a_stroke_hardly_wider_than_the_pen_needs_no_note(times_the_pen, noted):
    notes = planned([stroke(width=times_the_pen * 0.5 / 180)]).notes
    assert any("wider than the pen's line" in note for note in notes) == noted


def test_a_report_is_shown_in_metres_and_minutes():
    shown = dict(rows(planned([stroke(), stroke(RED)], "sheet").after))
    assert shown["strokes"] == "2" and shown["pen changes"] == "1"
    assert re.fullmatch(r"0\.\d\d m", shown["ink"])
    assert re.fullmatch(r"\d:\d\d, of which 1:00 for pens changed by hand", shown["time"])
    assert (clock(59.6), clock(3723)) == ("1:00", "1:02:03")
    assert (counted(1, "pause"), counted(2000, "stroke")) == ("1 pause", "2,000 strokes")


def test_a_report_in_full():
    one = Report(
        strokes=1234,
        ink=1500.0,
        travel=2250.0,
        lifts=7,
        pen_changes=2,
        dips=3,
        seconds=91.0,
        pauses=1,
        waiting=30.0,
        widths=(0.5, 2.0),
        bounds=(1.0, 2.0, 3.0, 4.0),
    )
    assert rows(one) == [
        ("strokes", "1,234"),
        ("ink", "1.50 m"),
        ("travel, pen up", "2.25 m"),
        ("lifts", "7"),
        ("pen changes", "2"),
        ("dips", "3"),
        ("time", "1:31, of which 0:30 for pens changed by hand"),
        ("widths of strokes", "0.5 to 2.0 mm"),
        ("moves within", "x 1.0 to 3.0, y 2.0 to 4.0 mm"),
    ]
    assert "dips" not in dict(rows(one._replace(dips=0)))


def test_dips_are_counted_and_travelled_to():
    one = planned([stroke(), stroke(RED)], "grbl-brush")
    assert one.after.dips == sum(isinstance(event, Dip) for event in one.path.events) >= 3
    assert one.after.travel > planned([stroke()], "grbl-brush").after.travel + 200.0


def test_a_program_the_pen_can_draw_needs_no_note():
    assert planned([stroke()]).notes == ()


@pytest.mark.parametrize(
    ("strokes", "options", "note"),
    [
        (
            [stroke(), stroke(RED)],
            {},
            "1 stroke in a colour no pen has: at worst 0.68 off (0 the same, 1 black for white), stroke 2, #ff0000 by pen black",
        ),
        (
            [stroke(opacity=0.5)],
            {},
            (
                "1 stroke in a colour no pen has: at worst 0.60 off (0 the same, 1 black for white), stroke 1, #000000 at "
                "opacity 0.50 by pen black"
            ),
        ),
        ([stroke(opacity=0.5)], {}, "1 translucent stroke drawn in opaque ink"),
        ([stroke(), stroke((1.0, 1.0, 1.0))], {}, "1 stroke left out: as pale as the paper, or without pressure"),
        (
            [stroke(width=0.05), stroke(width=0.1)],
            {},
            (
                "2 strokes wider than the pen's line (at most 18 mm, pen black 0.5 mm): only the middle is drawn; "
                "--width passes fills them"
            ),
        ),
        (
            [stroke(pressure=(0.5, 1.0)), stroke()],
            {"pens": (Pen("black"),)},
            "1 stroke of changing width drawn evenly, at the mean width",
        ),
    ],
)
def test_what_the_paper_will_not_show_is_said(strokes, options, note):
    assert note in planned(strokes, **options).notes


def test_a_wide_stroke_that_is_filled_needs_no_note():
    assert planned([stroke(width=0.05)], width="passes").notes == ()


@pytest.mark.parametrize(
    ("width", "options", "note"),
    [
        (
            0.05,
            {"width": "z"},
            "1 stroke wider than the pen's line (at most 9 mm, pen black 5 mm): they come out narrower",
        ),
        (0.01, {}, "1 stroke narrower than the pen's line (at least 1.8 mm, pen black 5 mm): they come out wider"),
        (0.01, {"width": "passes"}, "1 stroke narrower than the pen's line (at least 1.8 mm, pen black 5 mm)"),
        (0.01, {"width": "z"}, None),
        (0.05, {"width": "passes"}, None),
    ],
)
def test_strokes_of_another_width_than_the_pens_line_are_counted(width, options, note):
    notes = planned([stroke((0.1, 0.1, 0.1), width=width)], "grbl-brush", **options).notes
    assert len(notes) == (note is not None)
    assert note is None or notes[0].startswith(note)


def test_a_picture_that_reaches_beyond_the_machine_is_told_where_its_strokes_do_not():
    note = "the picture reaches beyond the machine's work area; what is drawn of it does not"
    inside = [Stroke((0.1, 0.9), (0.2, 0.9), (0.3, 0.9), Brush(0.0018))]
    assert note in planned(inside, page="A3").notes and note not in planned(inside).notes


def test_many_colours_of_a_program_are_as_many_pens_and_that_is_said():
    strokes = [stroke((i / 20, 0.0, 0.0)) for i in range(17)]
    note = "each of the program's 17 colours is a pen of its own here; --pens names those you have"
    assert note in planned(strokes, "sheet").notes
    assert note not in planned(strokes, "sheet", pens=(Pen("black"),)).notes
    stocked = dataclasses.replace(load_machine("sheet"), pens=tuple(Pen("black", str(i)) for i in range(17)))
    assert not any("a pen of its own here" in one for one in plan(Program(CANVAS, strokes), stocked).notes)


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([], "the program draws nothing; choose another program or other pens"),
        (
            [stroke((1.0, 1.0, 1.0)), stroke(opacity=0.0)],
            "the program draws nothing: all 2 strokes are as pale as the paper, or without pressure; choose another program or other pens",
        ),
    ],
)
def test_nothing_to_draw(strokes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        planned(strokes)


def test_a_program_that_can_be_seen_nowhere_needs_no_pens():
    with pytest.raises(InputError, match="the program draws nothing: all 2 strokes are as pale as the paper"):
        planned([stroke(opacity=0.0)] * 2, "sheet")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": 0.0}, "tolerance (mm) must be a number from 0.001 to 10, got 0.0"),
        ({"tolerance": float("nan")}, "tolerance (mm) must be a number from 0.001 to 10, got nan"),
        ({"page": "B4"}, "unknown page 'B4'"),
        ({"margin": 200.0}, "a margin of 200 mm leaves nothing"),
        ({"size": 999.0}, "a picture of 999 mm does not fit"),
        ({"order": "best"}, "unknown order 'best'"),
        ({"width": "fat"}, "unknown width 'fat'"),
        ({"first": 2}, "strokes 2 to 1 are asked for; there are strokes 1 to 1"),
        ({"page": "A3"}, "outside the work area of grbl-servo"),
    ],
)
def test_options_that_are_refused(options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        planned([stroke()], **options)


def test_a_machine_without_pens_has_those_of_the_program_but_no_rainbow():
    machine = dataclasses.replace(load_machine("grbl-servo"), pens=())
    few = Program(CANVAS, [stroke(), stroke(RED)])
    assert [pen.color for pen in plan(few, machine).path.pens] == ["#000000", "#ff0000"]
    assert len(plan(Program(CANVAS, [stroke((i / 20, 0.0, 0.0)) for i in range(16)]), machine).path.pens) == 16
    many = Program(CANVAS, [stroke((i / 20, 0.0, 0.0)) for i in range(17)])
    with pytest.raises(InputError) as refused:
        plan(many, machine)
    assert str(refused.value) == (
        "the program paints with 17 colours, and machine grbl-servo names no pens; say which you have, like --pens "
        "black,red,#0055ff"
    )
    assert len(plan(many, load_machine("sheet")).path.pens) == 17


def test_the_page_lies_as_it_is_told_and_never_as_the_ink_would_have_it():
    wide = polyline([(0.0, 0.5), (1.0, 0.5)], width=0.0028)
    pages = [planned(wide, landscape=landscape, page="A5").path.frame.page for landscape in (None, False, True)]
    assert [(page.width, page.height) for page in pages] == [(148, 210), (148, 210), (210, 148)]


def test_a_stroke_off_the_canvas_is_refused_or_cut():
    off = [stroke(), Stroke((0.5, 0.5), (2.0, 0.5), (2.0, 0.5), Brush(0.002))]
    with pytest.raises(InputError, match="stroke 2 leaves the canvas"):
        planned(off)
    one = planned(off, clip=True)
    frame = one.path.frame
    assert one.after.bounds[2] == pytest.approx(frame.left + frame.width)
    assert one.path.program.strokes == tuple(off), "the program that goes into files is the whole one"


def test_the_parts_of_a_cut_stroke_are_ordered_like_others():
    black, red = Pen("black", width=0.5), Pen("red", width=0.5)
    strokes = [Stroke((0.5, 0.5), (2.0, 0.5), (0.5, 0.6), Brush(0.002)), stroke((0.9, 0.0, 0.0)), stroke()]
    one = planned(strokes, clip=True, order="colour", pens=(black, red))
    assert one.order == (0, 1, 3, 2)
    assert any("#e60000 by pen red" in note for note in one.notes)


def test_strokes_from_one_to_another_and_their_numbers():
    program = random_program(11, strokes=12)
    one = plan(program, load_machine("sheet"), Options(first=3, last=5))
    assert one.after.strokes == 3 and one.order == (2, 3, 4)
    assert plan(program, load_machine("sheet"), Options(last=2)).after.strokes == 2


def test_the_rest_is_that_of_the_order_which_the_whole_was_drawn_in():
    """Alone, the last strokes might be quicker in the program's own order; then the rest would not be the rest."""
    for seed in range(40):
        program = random_program(seed, strokes=10)
        whole = plan(program, load_machine("sheet"), Options(order="safe"))
        for first in (4, 8):
            rest = plan(program, load_machine("sheet"), Options(order="safe", first=first))
            assert rest.order == whole.order[first - 1 :]
            assert rest.flat.events == whole.flat.part(first).events
