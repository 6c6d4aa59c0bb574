from __future__ import annotations

import io
import os
import threading
import time

import pytest
from rich.console import Console

from spiral.report import Report


def report(terminal):
    screen = io.StringIO()
    return Report(Console(file=screen, force_terminal=terminal, width=120, soft_wrap=True, highlight=False)), screen


def test_plain_lines_where_output_is_no_terminal():
    shown, screen = report(terminal=False)
    with shown:
        shown.say("begin")
        shown.show(0.25, 75, "1,000 steps")
        shown.show(0.5, 150, "too soon after the line before")
    assert screen.getvalue() == "begin\n 25%  1:15 gone, 3:45 left  1,000 steps\n"


def test_no_time_left_before_there_is_any_progress():
    shown, screen = report(terminal=False)
    with shown:
        shown.show(0.0, 3, "starting")
    assert screen.getvalue() == "  0%  0:03 gone, time left: ...  starting\n"


def test_time_left_that_is_known():
    shown, screen = report(terminal=False)
    with shown:
        shown.show(0.0, 3, "starting", seconds_left=90)
    assert screen.getvalue() == "  0%  0:03 gone, 1:30 left  starting\n"


def test_hours_left():
    shown, screen = report(terminal=False)
    with shown:
        shown.show(0.5, 3 * 3600 + 61, "")
    assert "3:01:01 gone, 3:01:01 left" in screen.getvalue()


def test_a_bar_on_a_terminal():
    shown, screen = report(terminal=True)
    with shown:
        shown.show(0.25, 75, "1,000 steps")
        shown.say("a line that stays")
    assert all(part in screen.getvalue() for part in ("25%", "3:45 left", "1,000 steps", "a line that stays\n"))


def test_brackets_and_colons_of_a_line_are_shown_as_they_are():
    shown, screen = report(terminal=False)
    shown.say("art[red].gcode :pen: $H")
    assert screen.getvalue() == "art[red].gcode :pen: $H\n"


def test_a_question_stops_the_bar_and_gives_the_answer(monkeypatch):
    shown, screen = report(terminal=True)
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with shown:
        assert shown.ask("on [hold]? ") == "yes"
    assert "on [hold]? " in screen.getvalue()


def test_a_question_that_nobody_answers_ends_its_line(monkeypatch):
    shown, screen = report(terminal=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with shown, pytest.raises(EOFError):
        shown.ask("on hold? ")
    assert screen.getvalue() == "on hold? \n"


def test_what_was_typed_before_a_question_is_no_answer(monkeypatch):
    shown, screen = report(terminal=False)
    keyboard, end = os.openpty()

    def answer_when_asked():
        while "change the pen? " not in screen.getvalue():
            time.sleep(0.001)
        os.write(keyboard, b"done\n")

    with os.fdopen(end) as stdin, shown:
        monkeypatch.setattr("sys.stdin", stdin)
        os.write(keyboard, b"too early\n")
        threading.Thread(target=answer_when_asked).start()
        assert shown.ask("change the pen? ") == "done"
    os.close(keyboard)


def test_lines_to_a_full_disk_end_no_work():
    with open("/dev/full", "w") as full:
        shown = Report(Console(file=full))
        with pytest.raises(OSError, match="No space left on device"):
            shown.console.print("it is full")
        with shown:
            shown.say("begin")
            shown.show(0.5, 10, "1,000 steps")
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # or closing it would fail
