import itertools
import re

import pytest

from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.geometry import Point
from spiral.plotter.page import SIZES, Frame, Page, frame_for, page_named

A4 = Page(210.0, 297.0)


@pytest.mark.parametrize(
    ("name", "landscape", "page"),
    [
        ("A4", False, A4),
        ("a4", True, Page(297.0, 210.0)),
        ("Letter", False, Page(215.9, 279.4)),
        ("200x150", True, Page(200.0, 150.0)),
        ("200.5x150mm", False, Page(200.5, 150.0)),
    ],
)
def test_pages_by_name_and_by_sides(name, landscape, page):
    assert page_named(name, landscape) == page


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("B5", "unknown page 'B5'; accepted: A0, A1, .*tabloid, or WIDTHxHEIGHT in mm, like 200x150"),
        ("0x10", r"page side \(mm\) must be a number from 1 to 10000, got 0"),
        ("-1x10", "unknown page '-1x10'"),
        ("nanxnan", "unknown page 'nanxnan'"),
        ("20x15cm", "unknown page '20x15cm'"),
    ],
)
def test_a_page_that_is_none(name, message):
    with pytest.raises(InputError, match=message):
        page_named(name)


def test_every_a_page_is_half_the_one_before_and_the_others_are_whole_quarters_of_an_inch():
    for larger, smaller in itertools.pairwise(SIZES[f"A{i}"] for i in range(7)):
        assert smaller == (larger[1] // 2, larger[0])
    inches = {name: (width / 25.4, height / 25.4) for name, (width, height) in SIZES.items() if name[0] != "A"}
    expected = {"letter": (8.5, 11.0), "legal": (8.5, 14.0), "tabloid": (11.0, 17.0)}
    assert inches == {name: pytest.approx(sides) for name, sides in expected.items()}


def test_the_canvas_lies_in_the_middle_as_large_as_the_margins_allow():
    frame = frame_for(CanvasSpec(64, 32, 1), A4, margin=15.0)
    assert (frame.left, frame.top, frame.width, frame.height) == (15.0, 103.5, 180.0, 90.0)
    assert frame.unit == 90.0


def test_a_size_is_that_of_the_longer_side():
    frame = frame_for(CanvasSpec(32, 64, 1), A4, margin=0.0, size=100.0)
    assert (frame.width, frame.height) == (50.0, 100.0)
    assert (frame.left, frame.top) == (80.0, 98.5)


@pytest.mark.parametrize(
    ("margin", "size", "message"),
    [
        (105.0, None, "a margin of 105 mm leaves nothing of a page of 210 x 297 mm; make it smaller"),
        (
            15.0,
            180.1,
            (
                "a picture of 180.1 mm does not fit: between margins of 15 mm on a page of 210 x 297 mm its longer side is "
                "at most 180.0 mm"
            ),
        ),
        (15.0, 0.0, "size (mm) must be a number above 0 to 10000, got 0.0"),
        (-1.0, None, "margin (mm) must be a number from 0 to 10000, got -1.0"),
        (float("nan"), None, "margin (mm) must be a number from 0 to 10000, got nan"),
        (15.0, float("inf"), "size (mm) must be a number above 0 to 10000, got inf"),
    ],
)
def test_a_place_that_is_refused(margin, size, message):
    with pytest.raises(InputError, match=re.escape(message)):
        frame_for(CanvasSpec(64, 64, 1), A4, margin, size)


def test_the_largest_size_fits():
    for width, height in itertools.product(range(16, 64, 3), range(17, 100, 9)):
        largest = frame_for(CanvasSpec(width, height, 1), A4, 15.0)
        again = frame_for(CanvasSpec(width, height, 1), A4, 15.0, max(largest.width, largest.height))
        assert (again.width, again.height) == pytest.approx((largest.width, largest.height))


@pytest.mark.parametrize(("y_up", "y"), [(False, 25.0), (True, 265.0)])
def test_the_map_to_the_machine_flips_once_and_back(y_up, y):
    frame = Frame(Page(210.0, 300.0), left=10.0, top=20.0, width=100.0, height=50.0, at=(5.0, -5.0), y_up=y_up)
    corner = frame.on_machine(Point(0.0, 0.2))
    assert corner == (15.0, y)
    assert frame.on_page(*corner) == (10.0, 30.0)
