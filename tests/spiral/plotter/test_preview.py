"""Dry runs: the picture shows what the program looks like, the film when each thing happens."""

import html
import io
import itertools
import json
import math
import random
import re

import numpy as np
import pytest
from PIL import Image, ImageFilter
from plotter_programs import BLACK, BLUE, RED, polyline, random_program

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.color import css_color
from spiral.plotter.events import Begin, Dip, Down, Line, Park, Travel
from spiral.plotter.machine import load_machine
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options, plan
from spiral.plotter.report import report, rows
from spiral.plotter.writers import WRITERS

SIDE = 2400  # pixels of the picture's longer side
TRAVEL = (89, 153, 255)
PAPER, TABLE = (255, 255, 255), (238, 238, 238)


def dry_run(program, dialect, machine="sheet", **options):
    one = plan(program, load_machine(machine), Options(**options))
    return one.flat, WRITERS.get(dialect)(one.flat).content()


def picture_of(program, machine="sheet", **options):
    _, png = dry_run(program, "png", machine, **options)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def closed_chain(seed):
    """Even strokes of many looks from the park and back to it."""
    rng = random.Random(seed)
    points = [(0.0, 0.0), *((rng.random(), rng.random()) for _ in range(8)), (0.0, 0.0)]
    return [
        Stroke(
            *(start, (rng.random(), rng.random()), end),
            Brush(rng.choice([0.01, 0.05, 0.2]), rng.choice([BLACK, RED, BLUE]), rng.choice([1.0, 1.0, 0.5])),
        )
        for start, end in itertools.pairwise(points)
    ]


def journeys_in(picture):
    """Where journeys cover the picture, bool [H, W], and a few pixels round them."""
    image = Image.fromarray((picture == TRAVEL).all(axis=2))
    return np.asarray(image.convert("L").filter(ImageFilter.MaxFilter(7))) > 0


@pytest.mark.parametrize("seed", range(3))
def test_the_picture_shows_what_the_program_paints(seed):
    program = Program(CanvasSpec(100, 80, 3, background=(1.0, 1.0, 0.8)), closed_chain(seed))
    picture = picture_of(program, page="100x80", margin=0.0, tolerance=0.005)
    painted = replay(program, size=SIDE)
    inside = (slice(8, -8), slice(8, -8))  # the canvas's frame lies on the edge
    off = np.abs(picture.astype(np.int16) - painted).max(axis=2) * ~journeys_in(picture)
    assert (off[inside] > 16).mean() < 2e-3


def test_the_picture_shows_the_sheet_on_the_machine_and_the_way_with_the_pen_up():
    """The brush parks at (0, 0), takes paint at (40, 40) and paints an A4 sheet that lies right of its trays."""
    program = Program(CanvasSpec(100, 100, 3), polyline([(0.2, 0.5), (0.8, 0.5)], width=0.02))
    picture = picture_of(program, "grbl-brush")
    assert picture.shape == (math.ceil(SIDE * 210 / 387), SIDE, 3)
    scale = SIDE / 387

    def at(x, y):
        """Colour of the picture where the machine's (x, y) is, mm, y up."""
        return tuple(int(c) for c in picture[int((210 - y) * scale), int(x * scale)])

    def passes(x, y):
        """Whether a journey leads by: something bluish."""
        row, column = int((210 - y) * scale), int(x * scale)
        near = picture[row - 2 : row + 3, column - 2 : column + 3].astype(int)
        return (near[..., 2] > near[..., 0] + 50).any()

    assert at(20, 40) == at(89, 150) == TABLE, "left of the sheet"
    assert at(91, 150) == at(386, 5) == at(100, 209) == PAPER
    left = 90 + (297 - 180) / 2
    assert all(max(at(*place)) < 240 for place in ((left, 60), (left + 180, 60), (200, 15), (200, 195))), "the frame"
    ink, y = (26, 26, 26), 105  # the pen's colour
    start, end = left + 0.2 * 180, left + 0.8 * 180
    assert at(start + 1, y) == at((start + end) / 2, y + 2.3) == at((start + end) / 2, y - 2.3) == at(end - 1, y) == ink
    assert at((start + end) / 2, y + 2.7) == at((start + end) / 2, y - 2.7) == PAPER, "as wide as the pen, 5 mm"
    assert at(end + 2, y) == ink and at(end + 2, y + 2.3) == PAPER, "its ends are round"
    assert passes(20, 20), "from the park to the paint"
    assert passes((40 + start) / 2, (40 + y) / 2), "from the paint to the stroke"
    assert passes(end / 2, y / 2), "and home"
    assert not passes(20, 30) and not passes(start + 20, y + 10)


@pytest.mark.parametrize(("begin", "end"), [(0.2, 1.0), (0.4, 0.4)])
def test_a_pressed_pen_draws_as_wide_as_it_is_pressed(begin, end):
    stroke = Stroke((0.1, 0.5), (0.5, 0.5), (0.9, 0.5), Brush(5 / 180, BLACK, pressure=(begin, end)))
    picture = picture_of(Program(CanvasSpec(100, 100, 3), [stroke]), "grbl-brush", width="z", tolerance=0.001)
    mm = 387 / SIDE
    left = 90 + (297 - 180) / 2
    for share in (0.25, 0.5, 0.75):
        column = picture[:, round((left + (0.1 + 0.8 * share) * 180) / mm)]
        assert (column[:, 0] == 26).sum() * mm == pytest.approx(5.0 * (begin + share * (end - begin)), abs=3 * mm)


# -- the film ---------------------------------------------------------------------------------------------------------


def film_of(program, machine="sheet", **options):
    """The toolpath, and the page's picture and title."""
    path, page = dry_run(program, "html", machine, **options)
    picture = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    return path, picture, page


def marks_in(picture):
    """Every mark as (seconds of begin and end, colour, opacity, label, is a journey, places and widths in mm)."""
    for begin, end, color, opacity, label, travel, *steps in picture["marks"]:
        xs, ys, widths = (np.cumsum(values) / picture["scale"] for values in steps)
        widths = np.broadcast_to(widths, len(xs)) if len(widths) == 1 else widths
        seconds = begin / picture["ticks"], end / picture["ticks"]
        yield seconds, color, opacity, label, bool(travel), list(zip(xs, ys, widths, strict=True))


@pytest.mark.parametrize(("machine", "width"), [("sheet", "line"), ("grbl-brush", "z")])
def test_the_film_shows_every_line_when_where_how_wide_and_by_which_pen_it_is_drawn(machine, width):
    program = random_program(3, strokes=12)
    path, picture, _ = film_of(program, machine, width=width)
    at, place, pressure, now = path.frame.on_page, path.machine.park, 0.0, 0.0
    expected = []  # of every event that is seen: when, label, and from where to where on the page with how much pressure
    for event, over in zip(path.events, path.times, strict=True):
        if isinstance(event, Begin):
            number = event.number
        if isinstance(event, Travel | Dip | Park):
            label = event.tray if isinstance(event, Dip) else type(event).__name__.lower()
            expected.append((now, over, label, at(*place), at(event.x, event.y), None, None))
        if isinstance(event, Line):
            expected.append((now, over, number, at(*place), at(event.x, event.y), pressure, event.pressure))
        if isinstance(event, Down | Line):
            pressure = event.pressure
        place = (event.x, event.y) if hasattr(event, "x") else place
        now = over
    left, top = (-90.0, -40.0) if machine == "grbl-brush" else (0.0, 0.0)  # the water stands above the page
    page, *found = marks_in(picture)
    events = iter(expected)
    for (begin, end), color, opacity, label, travel, points in found:
        run = list(itertools.islice(events, len(points) - 1))
        assert (begin, end) == pytest.approx((run[0][0], run[-1][1]), abs=1e-4)
        mark = path.marks[run[0][2] - 1] if not travel else None
        pen = path.pens[mark.pen] if mark else None
        looks = (
            (css_color(pen.rgb), opacity, f"stroke {run[0][2]}, {pen.name}") if mark else ("#5999ff", 1.0, run[0][2])
        )
        assert (color, opacity, label) == looks and (pen is None or opacity == pen.opacity)
        full = (pen.width or sum(mark.widths) / 2) if mark else 0.2
        starts = [(*one[3], 1.0 if travel else one[5]) for one in run]
        last = (*run[-1][4], 1.0 if travel else run[-1][6])
        shown = [(x - left, y - top, full * share) for x, y, share in (*starts, last)]
        assert np.allclose(points, shown, atol=1.01 / picture["scale"]), label
    assert next(events, None) is None, "nothing is missing"
    assert page[:5] == ((0.0, 0.0), "#cccccc", 1.0, "page", False)


def test_the_film_shows_the_sheet_on_the_machine():
    program = random_program(3, strokes=12)
    path, picture, page = film_of(program, "grbl-brush")
    (*_, corners), *_ = marks_in(picture)
    places = [(90, 40), (387, 40), (387, 250), (90, 250), (90, 40)]  # 40 below the water's height
    assert [(x, y) for x, y, _ in corners] == places
    assert (picture["width"], picture["height"], picture["background"]) == (387.0, 250.0, "#ffffff")
    assert "Dry run on grbl-brush" in page
    for name, value in rows(report(path)):
        assert f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" in page


def test_ink_of_a_translucent_pen_is_translucent_in_the_film():
    program = Program(CanvasSpec(100, 100, 3), polyline([(0, 0), (1, 1)]))
    _, picture, _ = film_of(program, pens=(Pen("red", "wash", width=3.0, opacity=0.25),))
    strokes = [mark for mark in marks_in(picture) if mark[3].startswith("stroke")]
    assert [(color, opacity, label) for _, color, opacity, label, *_ in strokes] == [
        ("#ff0000", 0.25, "stroke 1, wash")
    ]
