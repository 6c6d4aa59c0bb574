"""The page as a text; how it looks and behaves in a browser is in test_player_in_browser.py."""

import base64
import hashlib
import itertools
import json
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.player import Mark, player_html, program_player, save_player

EVEN = Stroke((0.1, 0.5), (0.5, 0.5), (0.9, 0.5), Brush(0.25, (1.0, 0.5, 0.0), opacity=0.5))
TAPERED = Stroke((0.5, 0.1), (0.9, 0.5), (0.5, 0.9), Brush(0.25, (0.0, 0.0, 1.0), pressure=(0.0, 1.0)))
PROGRAM = Program(CanvasSpec(64, 32, 3, background=(1.0, 1.0, 0.0)), (EVEN, TAPERED), seed=7, origin="runs/digits")
MARKS = [
    Mark([(0.0, 0.0, 1.0), (12.3456, 7.0, 1.0)], (1.0, 0.0, 0.0), 0.25, 0.0, 1.5, "pen 1: red"),
    Mark([(12.3456, 7.0, 0.0), (0.0, 50.0, 0.0)], (0.0, 0.0, 1.0), 1.0, 1.5, 2.0, "to stroke 2", travel=True),
    Mark([(0.0, 50.0, 1.0), (5.0, 5.0, 3.0), (9.0, 9.0, 0.5)], (0.0, 0.0, 0.0), 1.0, 2.25, 7200.0, "stroke 2"),
    Mark([(30.0, 40.0, 2.0)], (0.0, 0.0, 0.0), 1.0, 7200.0, 7200.5, "a dot"),
]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<!--"


class Page(HTMLParser):
    """A page's elements, with their attributes and the text right inside each; it fails where they do not nest."""

    VOID = ("meta", "input")

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in self.VOID:
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1][2].append(data)

    def all(self, tag, **attributes):
        return [
            (attrs, "".join(texts))
            for name, attrs, texts in self.elements
            if name == tag and attributes.items() <= attrs.items()
        ]

    @property
    def data(self):
        return json.loads(self.all("script", type="application/json")[0][1])


def page_of(marks=MARKS, title="A title", facts=()):
    return Page(player_html(marks, 200.0, 100.0, (1.0, 1.0, 1.0), title, dict(facts)))


def marks_in(data):
    """The marks as the page's script reads them."""
    for begin, end, color, opacity, label, travel, *steps in data["marks"]:
        xs, ys, widths = ([value / data["scale"] for value in itertools.accumulate(one)] for one in steps)
        widths = widths * len(xs) if len(widths) == 1 else widths
        rgb = tuple(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        points = list(zip(xs, ys, widths, strict=True))
        yield Mark(points, rgb, opacity, begin / data["ticks"], end / data["ticks"], label, bool(travel))


def test_the_page_has_the_marks():
    for read, mark in zip(marks_in(page_of().data), MARKS, strict=True):
        assert read[1:] == mark[1:]
        for point, expected in zip(read.points, mark.points, strict=True):
            assert point == pytest.approx(expected, abs=0.005)


def test_the_page_has_the_picture_and_what_is_said_about_it():
    page = page_of(title="Two lines", facts={"strokes": "2", "ink": "1.5 m"})
    assert (page.data["width"], page.data["height"], page.data["background"]) == (200.0, 100.0, "#ffffff")
    assert page.all("title")[0][1] == page.all("h1")[0][1] == "Two lines"
    assert [text for _, text in page.all("th")] == ["strokes", "ink"]
    assert [text for _, text in page.all("td")] == ["2", "1.5 m"]


def test_a_page_of_nothing_is_one_too():
    assert page_of([]).data["marks"] == []


def test_text_from_outside_stays_text():
    marks = [MARKS[0]._replace(label=HOSTILE)]
    page = page_of(marks, title=HOSTILE, facts={HOSTILE: HOSTILE})
    assert [name for name, *_ in page.elements] == [name for name, *_ in page_of(facts={"a": "b"}).elements]
    assert [text for tag in ("title", "h1", "th", "td") for _, text in page.all(tag)] == [HOSTILE] * 4
    assert [mark.label for mark in marks_in(page.data)] == [HOSTILE]
    assert page.all("canvas", id="painting")[0][0]["aria-label"] == HOSTILE


def test_what_looks_like_a_place_to_fill_is_left_alone():
    assert page_of(title="{{picture}} {{facts}}").all("h1")[0][1] == "{{picture}} {{facts}}"


def test_letters_of_any_script_are_written_in_ascii(tmp_path):
    assert page_of(title="Bögen \U0001f3a8").all("h1")[0][1] == "Bögen \U0001f3a8"
    save_player(PROGRAM, tmp_path / "Bögen \U0001f3a8 \udcff.html")  # the last one is no letter, but may be in a name
    (path,) = tmp_path.iterdir()
    path.read_bytes().decode("ascii")


def test_the_page_may_run_and_show_its_own_script_and_style_and_nothing_else():
    page = page_of()
    ((attrs, _),) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    policy = dict(part.split(maxsplit=1) for part in attrs["content"].split("; "))
    (script,) = [text for attrs, text in page.all("script") if not attrs]
    ((_, style),) = page.all("style")
    assert policy == {
        "default-src": "'none'",
        "script-src": f"'sha256-{sha256(script)}'",
        "style-src": f"'sha256-{sha256(style)}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not [name for _, attrs, _ in page.elements for name in attrs if name == "style" or name.startswith("on")]


def sha256(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_page_needs_no_other_file_and_no_network():
    text = program_player(PROGRAM)
    assert "http:" not in text and "https:" not in text
    assert not {"src", "href"} & {name for _, attrs, _ in Page(text).elements for name in attrs}


def test_without_scripts_the_page_says_what_is_missing():
    page = page_of()
    assert page.all("noscript") and "where scripts may run" in page.all("p")[0][1]
    assert "hidden" in page.all("div", id="controls")[0][0]


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_script_is_one(tmp_path):
    (script,) = [text for attrs, text in page_of().all("script") if not attrs]
    (tmp_path / "player.js").write_text(script)
    subprocess.run(["node", "--check", tmp_path / "player.js"], check=True)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ([MARKS[0]._replace(points=[])], "mark 0 has no points; give at least one"),
        ([MARKS[0]._replace(begin=-1.0)], "mark 0 must begin at 0 s or later and not end before, got -1 to 1.5 s"),
        ([MARKS[0], MARKS[0]], "mark 1 must begin at 1.5 s or later and not end before, got 0 to 1.5 s"),
        ([MARKS[0]._replace(begin=2.0)], "mark 0 must begin at 0 s or later and not end before, got 2 to 1.5 s"),
    ],
)
def test_marks_that_are_not_in_order_of_time_are_refused(marks, message):
    with pytest.raises(InputError) as refused:
        page_of(marks)
    assert str(refused.value) == message


# -- programs ---------------------------------------------------------------------------------------------------------


def test_a_program_is_painted_stroke_by_stroke():
    data = Page(program_player(PROGRAM, seconds=8.0)).data
    assert (data["width"], data["height"], data["background"]) == (64, 32, "#ffff00")
    even, tapered = marks_in(data)
    assert (even.label, tapered.label) == ("stroke 1 of 2", "stroke 2 of 2")
    assert even.begin == 0.0 and even.end == tapered.begin and tapered.end == 8.0
    assert even.opacity == 0.5 and tapered.color == (0.0, 0.0, 1.0)
    assert even.points[0] == pytest.approx((6.4, 16.0, 8.0), abs=1e-3)
    assert even.points[-1] == pytest.approx((57.6, 16.0, 8.0), abs=1e-3)
    assert tapered.points[0] == pytest.approx((32.0, 3.2, 0.0), abs=1e-3)
    assert tapered.points[-1] == pytest.approx((32.0, 28.8, 8.0), abs=1e-3)


def test_a_straight_stroke_is_two_points_and_a_curve_as_many_as_it_needs():
    even, tapered = marks_in(Page(program_player(PROGRAM)).data)
    assert len(even.points) == 2 and 10 < len(tapered.points) < 50


def test_the_page_says_where_the_painting_is_from():
    page = Page(program_player(PROGRAM))
    facts = dict(zip((text for _, text in page.all("th")), (text for _, text in page.all("td")), strict=True))
    assert facts == {
        "strokes": "2",
        "canvas": "64 x 32 pixels",
        "environment": "spiral/Paint-v0",
        "origin": "runs/digits",
        "seed": "7",
    }


def test_equal_programs_give_equal_pages_named_as_their_file(tmp_path):
    save_player(PROGRAM, tmp_path / "a.html")
    save_player(Program.from_json(PROGRAM.to_json()), tmp_path / "b" / "a.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b" / "a.html").read_bytes()
    assert Page((tmp_path / "a.html").read_text()).all("h1")[0][1] == "a"


def test_a_program_without_strokes_is_a_blank_page():
    assert Page(program_player(Program(PROGRAM.canvas, ()))).data["marks"] == []
