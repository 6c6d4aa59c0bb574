"""``spiral plot`` as a person beside a plotter uses it; the plotter is simulated."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from gcode_samples import ONE_PEN, SAMPLE, UP, Z_SAMPLE, drawn_lines, drawn_segments, exported
from grbl_simulator import PLANNER, Simulator
from plotter_programs import RED, polyline

from spiral import Program
from spiral.canvas import CanvasSpec
from spiral.cli import main
from spiral.export import export
from spiral.plotter import grbl
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options
from spiral.report import Report

HOME = (0.0, 0.0, 0.0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """What takes seconds on a table takes tenths here, in this process."""
    monkeypatch.setattr(grbl, "STATUS_SECONDS", 0.02)
    monkeypatch.setattr(grbl, "LOOK_SECONDS", 0.02)


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.gcode"
    path.write_text(SAMPLE)
    return path


@pytest.fixture
def one_pen(tmp_path):
    path = tmp_path / "one pen.gcode"
    path.write_text(ONE_PEN)
    return path


def run(*arguments, answers=""):
    return CliRunner().invoke(main, ["plot", *map(str, arguments)], input=answers)


def drawn(simulator):
    """The lines it has drawn, as `drawn_lines` gives them."""
    return [(one.start, one.end) for one in drawn_segments(simulator.firmware)]


def from_stroke(text, number):
    """The lines that belong to the strokes from this one on."""
    return drawn_lines(text)[len(drawn_lines(text[: text.index(f"(stroke {number} at")])) :]


def assert_is_up_and_parked(simulator):
    assert (simulator.firmware.at, simulator.firmware._s) == (HOME, UP)


class Spiral:
    """The command in a process of its own, as a shell starts it."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from spiral.cli import main; main()", "plot", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def ctrl_c(self):
        """What a terminal does: a signal to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def answer(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def read_until(self, text):
        said = ""
        while text not in said:
            ready, _, _ = select.select([self.process.stdout], [], [], 30.0)
            assert ready, f"it waits without {text!r}: {said}"
            more = os.read(self.process.stdout.fileno(), 4096).decode()
            assert more, f"it ended without {text!r}: {said}{self.process.stderr.read().decode()}"
            said += more

    def end(self):
        """Exit code, the rest of the output, errors."""
        stdout, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stdout.decode(), stderr.decode()


def test_help_explains_with_examples():
    result = run("--help")
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout and "--check      how file and plotter are; nothing moves" in result.stdout


def test_a_file_is_drawn_and_it_says_so(tmp_path):
    text, path = exported(tmp_path, "grbl-servo")
    with Simulator() as simulator:
        result = run(path, "--port", simulator.port)
        assert (result.exit_code, result.stderr) == (0, "")
        assert drawn(simulator) == drawn_lines(text)
        assert simulator.firmware.overflowed == 0
        assert_is_up_and_parked(simulator)
    first, second, *_, last = result.stdout.splitlines()
    assert re.fullmatch(rf"{path}: strokes 1 to 12 in about \d:\d\d on grbl-servo; pen 1: black", first)
    assert second == f"{simulator.port}: GRBL 1.1h, Idle"
    assert re.fullmatch(r"drew strokes 1 to 12 in 0:\d\d", last)


def test_progress_goes_by_the_times_of_what_was_answered(one_pen, monkeypatch):
    monkeypatch.setattr(Report, "LINE_SECONDS", 0.0)
    with Simulator(slow=0.02) as simulator:
        shown = run(one_pen, "--port", simulator.port).stdout
    percents = [(int(percent), int(stroke)) for percent, stroke in re.findall(r"(\d+)%  .* stroke (\d) of 5\n", shown)]
    begins = [0, *(float(seconds) / 60 * 100 for seconds in re.findall(r"at (.*) s", ONE_PEN)), 100]
    assert percents == sorted(percents) and {stroke for _, stroke in percents} == {1, 2, 3, 4, 5}
    assert all(
        begins[stroke - (stroke == 1)] - 1 <= percent <= begins[stroke + 1 + (stroke == 5)] + 1
        for percent, stroke in percents
    )


def test_pens_are_changed_by_the_person_and_the_pause_is_never_sent(sample):
    with Simulator() as simulator:
        result = run(sample, "--port", simulator.port, answers="\n")
        assert result.exit_code == 0
        assert "change to pen 2: red; Enter goes on, Ctrl-C stops. " in result.stdout
        assert drawn(simulator) == drawn_lines(SAMPLE)
        assert "M0" not in simulator.firmware.received


def test_the_first_of_several_pens_is_asked_for_once_the_pen_is_up(tmp_path):
    program = Program(CanvasSpec(32, 32, 3), [*polyline([(0, 0), (0.5, 0)]), *polyline([(0, 1), (1, 1)], color=RED)])
    path = tmp_path / "two.gcode"
    export(program, [path], "grbl-servo", Options(pens=(Pen("black", width=9.0), Pen("red", width=9.0))))
    with Simulator() as simulator:
        process = Spiral(path, "--port", simulator.port)
        process.read_until("put pen 1: black in the holder; Enter goes on")
        assert drawn(simulator) == [] and simulator.firmware.received[-2:] == ["M3S300", "G4P0.150"]
        process.answer("\n")
        process.read_until("put pen 2: red in the holder; Enter goes on")
        assert len(drawn(simulator)) == 1 and simulator.firmware.at[:2] == (0.0, 0.0)
        process.answer("\n")
        assert process.end()[0] == 0
        assert len(drawn(simulator)) == 2


def test_before_the_person_has_changed_the_pen_nothing_moves(sample):
    with Simulator() as simulator:
        process = Spiral(sample, "--port", simulator.port)
        process.read_until("Enter goes on")
        assert simulator.firmware.state == "Idle"
        assert drawn(simulator) == drawn_lines(SAMPLE)[:3]
        process.answer("\n")
        assert process.end()[0] == 0
        assert drawn(simulator) == drawn_lines(SAMPLE)


@pytest.mark.parametrize("text", [SAMPLE, Z_SAMPLE], ids=["servo", "z"])
def test_nobody_to_change_the_pen(tmp_path, text):
    path = tmp_path / "drawing.gcode"
    path.write_text(text)
    with Simulator() as simulator:
        result = run(path, "--port", simulator.port)
        assert result.exit_code == 1
        assert result.stderr == (
            "Error: stopped; the pen is up and parked; "
            f"go on with: spiral plot {path} --port {simulator.port} --from 3\n"
        )
        assert drawn(simulator) == drawn_lines(text[: text.index("M0")])
        assert simulator.firmware.at[:2] == (0.0, 0.0)


@pytest.mark.parametrize("stroke", [1, 2, 3, 4, 5])
def test_resuming_asks_for_the_pen_and_draws_the_rest(sample, stroke):
    pen, answers = ("pen 1: black", "\n\n") if stroke < 3 else ("pen 2: red", "\n")
    with Simulator() as simulator:
        result = run(sample, "--port", simulator.port, "--from", stroke, answers=answers)
        assert result.exit_code == 0, result.stderr
        assert f"put {pen} in the holder; Enter goes on" in result.stdout
        assert f"drew strokes {stroke} to 5 in" in result.stdout
        assert drawn(simulator) == from_stroke(SAMPLE, stroke)


@pytest.mark.parametrize("machine", ["grbl-servo", "grbl-z"])
def test_ctrl_c_holds_and_goes_on_or_stops_and_can_be_resumed(tmp_path, machine):
    text, path = exported(tmp_path, machine)
    whole = drawn_lines(text)
    with Simulator(speed=20.0) as simulator:
        firmware = simulator.firmware
        process = Spiral(path, "--port", simulator.port)
        for lines, realtime in ((5, ["!"]), (60, ["!", "~", "!"])):
            simulator.wait_until(lambda firmware, lines=lines: len(firmware.segments) > lines)
            process.ctrl_c()
            process.read_until("on hold; Enter goes on, Ctrl-C raises the pen, parks it and stops. ")
            assert (firmware.state, firmware.realtime) == ("Hold:0", realtime)
            if lines == 5:
                process.answer("\n")
        firmware.speed = 2000.0
        process.ctrl_c()
        exit_code, _, said = process.end()
        assert exit_code == 1 and said.startswith("Error: stopped; the pen is up and parked; go on with: spiral plot ")
        assert (firmware.realtime[3:], firmware.at[:2]) == (["!", "reset"], (0.0, 0.0))
        *complete, interrupted = drawn(simulator)
        assert complete == whole[: len(complete)] and interrupted[0] == whole[len(complete)][0]

        command = shlex.split(said.partition("go on with: ")[2])
        stroke = int(command[-1])
        assert CliRunner().invoke(main, command[1:]).exit_code == 0
        assert firmware.boots == 1
        rest = drawn(simulator)[len(complete) + 1 :]
        assert rest == from_stroke(text, stroke)
    again = len(complete) + len(rest) - len(whole)
    assert 0 <= again <= PLANNER + grbl.SEGMENTS + len(from_stroke(text, stroke)) - len(from_stroke(text, stroke + 1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_where_the_process_is_ended_or_its_terminal_closed_the_pen_goes_home_first(tmp_path, number):
    _, path = exported(tmp_path, "grbl-servo")
    with Simulator(speed=20.0) as simulator:
        process = Spiral(path, "--port", simulator.port)
        simulator.wait_until(lambda firmware: len(firmware.segments) > 5)
        simulator.firmware.speed = 2000.0
        process.process.send_signal(number)
        assert process.end()[0] == 128 + number
        assert simulator.firmware.realtime == ["!", "reset"]
        assert_is_up_and_parked(simulator)


def test_ctrl_c_on_the_way_home_stops_at_once(sample):
    with Simulator() as simulator:
        process = Spiral(sample, "--port", simulator.port)
        process.read_until("Enter goes on")
        simulator.firmware.speed = 0.5
        process.ctrl_c()
        simulator.wait_until(lambda firmware: firmware.realtime == ["!", "reset"] and firmware.state == "Run")
        process.ctrl_c()
        exit_code, _, said = process.end()
        assert exit_code == 1 and "; switch the plotter off, bring the pen back to where the drawing began" in said
        assert simulator.firmware.realtime == ["!", "reset", "!", "reset"]
        assert simulator.firmware.at[:2] != (0.0, 0.0)


def test_a_line_it_refuses_stops_it_and_the_pen_is_raised(one_pen):
    with Simulator(faults={13: "error:33"}) as simulator:
        result = run(one_pen, "--port", simulator.port)
        assert result.exit_code == 1
        assert result.stderr == (
            "Error: the plotter refused line 19, 'G0 X50.000 Y60.000': the target cannot be reached (error:33); "
            "the pen is up and parked; "
            f"go on with: spiral plot '{one_pen}' --port {simulator.port} --from 3\n"
        )
        assert simulator.firmware.realtime == ["!", "reset"]
        assert drawn(simulator) == drawn_lines(ONE_PEN)[:3]
        assert_is_up_and_parked(simulator)


def test_after_a_pen_change_the_strokes_are_still_counted_right(sample):
    with Simulator(faults={21: "error:33"}) as simulator:
        result = run(sample, "--port", simulator.port, answers="\n")
        assert "the plotter refused line 32, 'G0 X80.000 Y80.000'" in result.stderr
        assert result.stderr.endswith("--from 5\n")


def test_whatever_goes_wrong_here_the_pen_is_raised(one_pen, monkeypatch):
    shown = []
    monkeypatch.setattr(Report, "show", lambda *arguments: shown.append(arguments) or 1 / (len(shown) < 4))
    with Simulator(slow=0.02) as simulator:
        assert isinstance(run(one_pen, "--port", simulator.port).exception, ZeroDivisionError)
        assert simulator.firmware.realtime == ["!", "reset"]
        assert_is_up_and_parked(simulator)


def test_a_lost_line_is_drawn_again_with_its_stroke(one_pen):
    with Simulator(faults={9: "drop"}) as simulator:
        result = run(one_pen, "--port", simulator.port, "--baud", 9600)
        assert result.exit_code == 1
        assert "a line was lost on the way to the plotter; check the cable; the pen is up and parked" in result.stderr
        assert result.stderr.endswith(f"--port {simulator.port} --baud 9600 --from 1\n")
        assert_is_up_and_parked(simulator)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("ALARM:1", "the plotter stopped with an alarm: a limit switch was hit (ALARM:1)"),
        ("reset", "the plotter was reset in the middle of the work"),
        ("silence", "the plotter no longer answers"),
        ("gone", "is gone: the plotter was unplugged or switched off"),
    ],
)
def test_a_plotter_that_does_not_obey_is_brought_back_by_hand(one_pen, fault, message):
    with Simulator(faults={19: fault}) as simulator:
        result = run(one_pen, "--port", simulator.port)
        assert result.exit_code == 1 and result.stderr.count("\n") == 1 and message in result.stderr
        assert result.stderr.endswith(
            "; switch the plotter off, bring the pen back to where the drawing began, and switch it on; "
            f"go on with: spiral plot '{one_pen}' --port {simulator.port} --from 3\n"
        )


def test_when_only_the_way_home_is_left_every_stroke_is_drawn(one_pen):
    with Simulator(faults={26: "error:33"}) as simulator:
        result = run(one_pen, "--port", simulator.port)
        assert result.exit_code == 1 and result.stderr.endswith("; every stroke is drawn\n")


@pytest.mark.parametrize(
    ("options", "answers"), [({}, "$X\n"), ({"homing": True}, "$H\n"), ({}, " $x \n")], ids=["unlock", "home", "small"]
)
def test_a_locked_plotter_is_unlocked_as_the_person_says(one_pen, options, answers):
    with Simulator(locked=True, **options) as simulator:
        result = run(one_pen, "--port", simulator.port, answers=answers)
        assert result.exit_code == 0, result.stderr
        assert "It is locked. $H homes it, $X unlocks it where it stands, Enter ends this: " in result.stdout
        assert drawn(simulator) == drawn_lines(ONE_PEN)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("", "the plotter is locked by an alarm, and nothing was drawn; answer $H to home it or $X"),
        ("\n", "the plotter is locked by an alarm, and nothing was drawn; answer $H to home it or $X"),
        ("$H\n", "the plotter refused $H: homing is switched off ($22) (error:5)"),
    ],
)
def test_a_locked_plotter_draws_nothing(one_pen, answers, message):
    with Simulator(locked=True) as simulator:
        result = run(one_pen, "--port", simulator.port, answers=answers)
        assert result.exit_code == 1 and message in result.stderr
        assert all(text.startswith("$") for text in simulator.firmware.received)


def test_check_moves_nothing(sample):
    with Simulator() as simulator:
        result = run(sample, "--port", simulator.port, "--check", "--from", 4)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            f"{sample}: strokes 1 to 5 in about 1:00 on grbl-servo; pen 1: black, pen 2: red\n"
            f"{simulator.port}: GRBL 1.1h, Idle\n"
        )
        assert simulator.firmware.received == ["$I", "$$"] and simulator.firmware.segments == []


def test_check_of_a_locked_plotter_asks_nothing(sample):
    with Simulator(locked=True) as simulator:
        result = run(sample, "--port", simulator.port, "--check", answers="$X\n")
        assert result.exit_code == 1 and "$H to home it or $X to unlock it where it stands" in result.stderr
        assert simulator.firmware.state == "Alarm"


@pytest.mark.parametrize(
    ("settings", "warning"),
    [
        ("$30=1000\r\n$32=1", "Warning: the plotter is in laser mode, which moves a pen's servo at the wrong moments"),
        ("$30=255\r\n$32=0", "Warning: the plotter knows S up to 255 ($30), and the file has S700 for its pen\n"),
        (
            "$20=1\r\n$130=60.000\r\n$131=200.000\r\n$32=0",
            "Warning: the plotter stops beyond 60.000 mm along X ($130), and the file goes to 80\n",
        ),
        ("$1=25\r\n$32=0", "Warning: the plotter lets its motors go when it rests, also while you change the pen;"),
    ],
)
def test_settings_with_which_the_pen_would_not_move_are_told(sample, settings, warning):
    with Simulator(settings=settings) as simulator:
        assert warning in run(sample, "--port", simulator.port, "--check").stdout
        result = run(sample, "--port", simulator.port)  # nobody says that it may draw
        assert result.exit_code == 1 and "Enter draws all the same, Ctrl-C ends this: " in result.stdout
        assert result.stderr == "Error: ended before anything was sent; mend the plotter's settings first\n"
        assert drawn(simulator) == []
        assert run(sample, "--port", simulator.port, answers="\n\n").exit_code == 0
        assert drawn(simulator) == drawn_lines(SAMPLE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "nowhere"], "there is no port nowhere; there "),
        ([], "say where the plotter is: --port PORT; there "),
        (["--port", "nowhere", "--from", "6"], "--from must be a whole number from 1 to 5, got 6"),
        (["--port", "nowhere", "--baud", "5"], "--baud must be a whole number from 300 to 4000000, got 5"),
    ],
)
def test_a_mistake_is_one_line(sample, arguments, message):
    result = run(sample, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1 and message in result.stderr


def test_a_bad_file_is_refused_before_a_byte_is_sent(tmp_path):
    path = tmp_path / "sample.gcode"
    path.write_text(SAMPLE.replace("G0 X50.000", "M280 P0 S60"))
    with Simulator() as simulator:
        result = run(path, "--port", simulator.port)
        assert result.exit_code == 2 and "sample.gcode: line 22: 'M280 P0 S60 Y60.000' is nothing" in result.stderr
        assert simulator.firmware.boots == 0
