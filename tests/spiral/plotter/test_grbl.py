"""The connection, against a simulated plotter: what counts is what that received and drew."""

from __future__ import annotations

import contextlib
import grp
import os

import pytest
import serial
from gcode_samples import commands, exported, run_through
from grbl_simulator import Simulator

from spiral.errors import InputError
from spiral.plotter import grbl
from spiral.plotter.gcode_file import Line
from spiral.plotter.grbl import Grbl, PlotterError


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """What takes seconds on a table takes tenths here."""
    monkeypatch.setattr(grbl, "STATUS_SECONDS", 0.02)
    monkeypatch.setattr(grbl, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(grbl, "GREETING_SECONDS", 0.3)


@contextlib.contextmanager
def connected(**options):
    """A simulated plotter, and the line to it."""
    with Simulator(**options) as simulator, contextlib.closing(Grbl.open(simulator.port, 115200)) as line:
        yield simulator, line


def lines_of(texts):
    return [Line(text, number) for number, text in enumerate(texts, 1)]


def draw(line, texts):
    for _ in line.stream(lines_of(texts)):
        pass
    for _ in line.finish():
        pass


def received(simulator):
    """The G-code it has received."""
    return [text for text in simulator.firmware.received if not text.startswith("$")]


def unspaced(texts):
    return [text.replace(" ", "") for text in texts]


ZIGZAG = ["G21", "G90", "M3 S700", "G4 P0.200", *(f"G1 X{i}.000 Y{i % 2}.000 F2000" for i in range(1, 100))]


def test_every_line_arrives_in_order_and_the_buffer_is_used_but_never_overflows(tmp_path):
    text, _ = exported(tmp_path, "grbl-servo")
    with connected() as (simulator, line):
        draw(line, commands(text))
        firmware = simulator.firmware
        assert received(simulator) == unspaced(commands(text))
        assert firmware.segments == run_through(commands(text)).segments
        assert firmware.overflowed == 0
        assert 100 < firmware.most_unanswered <= 127


def test_the_simulated_buffer_does_overflow():
    with Simulator() as simulator, serial.Serial(simulator.port) as port:
        simulator.wait_until(lambda firmware: firmware.boots)
        port.write(b"!" + b"G4 P0.001\n" * 20)  # on hold it reads nothing
        simulator.wait_until(lambda firmware: firmware.overflowed == 200 - 128)


def test_a_slow_machine_is_waited_for(monkeypatch):
    monkeypatch.setattr(grbl, "LOST_REPORTS", 3)
    with connected(speed=100.0) as (simulator, line):  # 99 lines of 1.4 mm at 2000 mm/min: 0.4 s
        draw(line, ZIGZAG)
        assert received(simulator) == unspaced(ZIGZAG)


def test_slow_answers_are_waited_for():
    with connected(slow=0.05) as (simulator, line):
        draw(line, ZIGZAG[:12])
        assert received(simulator) == unspaced(ZIGZAG[:12])


def test_a_dwell_is_no_lost_line(monkeypatch):
    monkeypatch.setattr(grbl, "LOST_REPORTS", 3)
    with connected(speed=1.0) as (simulator, line):
        draw(line, ["G4 P0.300"])
        assert received(simulator) == ["G4P0.300"]


def test_nothing_is_sent_after_a_travel_before_all_is_answered():
    with connected(faults={6: "drop"}) as (simulator, line), pytest.raises(PlotterError, match="a line was lost"):
        draw(line, [*ZIGZAG[:10], "M3 S300", "G0 X0.000 Y9.000", *ZIGZAG[2:]])
    assert received(simulator)[-2:] == ["G1X6.000Y0.000F2000", "M3S300"]


@pytest.mark.parametrize(
    ("fault", "message", "obeys"),
    [
        (
            "error:33",
            r"the plotter refused line 20, 'G1 X16.000 Y0.000 F2000': the target cannot be reac.*\(error:33\)",
            True,
        ),
        ("error:99", r"the plotter refused line 20, .*: a code of a newer GRBL \(error:99\)", True),
        ("ALARM:1", r"the plotter stopped with an alarm: a limit switch was hit \(ALARM:1\)", False),
        ("reset", "the plotter was reset in the middle of the work", False),
        ("silence", "the plotter no longer answers", False),
        ("gone", r"/dev/pts/\d+ is gone: the plotter was unplugged or switched off", False),
        ("drop", "a line was lost on the way to the plotter; check the cable", True),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_more_is_sent(fault, message, obeys):
    with connected(faults={20: fault}) as (simulator, line):
        with pytest.raises(PlotterError, match=message) as failure:
            draw(line, ZIGZAG[:60])
        assert failure.value.obeys == obeys
        assert failure.value.lost == (fault == "drop")
    if fault != "drop":
        assert len(received(simulator)) < 30


def test_a_move_beyond_the_travel_is_an_alarm():
    with connected(travel=50.0) as (simulator, line):
        with pytest.raises(PlotterError, match=r"a move would leave the machine's travel \(soft limits\) \(ALARM:2\)"):
            draw(line, ZIGZAG)
        assert max(segment.end[0] for segment in simulator.firmware.segments) == 50.0


def test_a_line_that_the_firmware_does_not_know_is_refused_by_its_number():
    with connected() as (_, line), pytest.raises(PlotterError, match=r"'G1 X5.000': no feed rate is set \(error:22\)"):
        draw(line, ["G21", "G1 X5.000"])


def test_a_hold_stops_within_a_line_and_goes_on_without_a_trace():
    with connected(speed=20.0) as (simulator, line):
        steps = line.stream(lines_of(ZIGZAG))
        next(steps)
        simulator.wait_until(lambda firmware: len(firmware.segments) > 3)
        line.hold()
        drawn = len(simulator.firmware.segments)
        assert (simulator.firmware.state, line.state) == ("Hold:0", "Hold:0")
        line.resume()
        simulator.firmware.speed = 2000.0
        for _ in steps:
            pass
        for _ in line.finish():
            pass
        assert simulator.firmware.segments == run_through(ZIGZAG).segments
        assert 3 < drawn < 99 and simulator.firmware.realtime == ["!", "~"]


def test_a_halt_forgets_what_was_sent_and_keeps_the_place():
    with connected(speed=20.0) as (simulator, line):
        next(line.stream(lines_of(ZIGZAG)))
        simulator.wait_until(lambda firmware: len(firmware.segments) > 3)
        line.halt()
        firmware = simulator.firmware
        assert (firmware.state, firmware.realtime) == ("Idle", ["!", "reset"])
        assert firmware.at == firmware.segments[-1].end != (0.0, 0.0, 0.0)
        draw(line, ["G0 X0.000 Y0.000"])
        assert firmware.at == (0.0, 0.0, 0.0)


def test_it_rests_when_everything_is_drawn():
    with connected(speed=100.0) as (simulator, line):
        draw(line, ZIGZAG[:30])
        assert len(simulator.firmware.segments) == 26 and simulator.firmware.state == "Idle"


def test_the_plotter_says_its_version_and_how_far_it_plans():
    with connected() as (_, line):
        assert (line.version, line.state, line.planned) == ("1.1h", "Idle", 15 + grbl.SEGMENTS)


def test_the_next_connection_does_not_restart_it():
    with connected() as (simulator, line):
        draw(line, ["G0 X10.000 Y20.000"])
        line.close()
        with contextlib.closing(Grbl.open(simulator.port, 115200)) as again:
            assert again.version == "1.1h" and simulator.firmware.boots == 1
            draw(again, ["G0 X10.000 Y30.000"])
        assert simulator.firmware.segments[-1].start == (10.0, 20.0, 0.0)


def test_a_plotter_in_the_middle_of_something_is_left_alone():
    with connected(speed=1.0) as (simulator, line):
        next(line.stream(lines_of(["G1 X50.000 F600"])))
        simulator.wait_until(lambda firmware: firmware.state == "Run")
        line.close()
        with pytest.raises(PlotterError, match=r"the plotter is busy \(Run\); wait until it is done"):
            Grbl.open(simulator.port, 115200)
        assert simulator.firmware.realtime == []


def test_a_plotter_that_hit_a_limit_is_mute_until_it_is_reset():
    with connected(faults={3: "ALARM:1"}) as (simulator, line):
        with pytest.raises(PlotterError, match="ALARM:1"):
            draw(line, ZIGZAG)
        line.close()
        with contextlib.closing(Grbl.open(simulator.port, 115200)) as again:
            assert (again.state, simulator.firmware.realtime) == ("Alarm", ["reset"])


def test_a_locked_plotter_is_locked_after_it_is_opened_too():
    with connected(locked=True) as (_, line):
        assert line.state == "Alarm"
        assert line.command("$X") == ["[MSG:Caution: Unlocked]"]
        line.update_state()
        assert line.state == "Idle"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"welcome": "Grbl 0.9j ['$' for help]"}, "the plotter has GRBL 0.9j; spiral plot needs 1.1 or newer"),
        (
            {"welcome": "start\r\necho:Marlin 2.1", "is_grbl": False},
            "answers, but not as GRBL does at 115200 baud: 'start",
        ),
        ({"welcome": "\xff\x00", "is_grbl": False}, r"answers, but not as GRBL does at 115200 baud: '\.+'; is it the"),
        (
            {"welcome": "", "is_grbl": False},
            "nothing answers on /dev/pts/.* at 115200 baud; is the plotter switched on,",
        ),
    ],
)
def test_what_is_not_grbl_is_told(options, message, monkeypatch):
    monkeypatch.setattr(grbl, "GREETING_SECONDS", 0.15)
    with Simulator(**options) as simulator, pytest.raises(PlotterError, match=message):
        Grbl.open(simulator.port, 115200)


def test_a_port_that_is_not_there(tmp_path):
    with pytest.raises(
        InputError, match=r"there is no port .*nothing; there (are: /dev/|is none: is the plotter plugge)"
    ):
        Grbl.open(str(tmp_path / "nothing"), 115200)


def test_no_port_at_all():
    with pytest.raises(InputError, match="say where the plotter is: --port PORT; there"):
        Grbl.open(None, 115200)


def test_a_port_in_use():
    with (
        Simulator() as simulator,
        serial.Serial(simulator.port, exclusive=True),
        pytest.raises(InputError, match=f"{simulator.port} is in use by another program; close that first"),
    ):
        Grbl.open(simulator.port, 115200)


def test_a_file_that_is_no_port(tmp_path):
    (tmp_path / "file").write_text("no port")
    with pytest.raises(InputError, match="file is a file, not a serial port; there "):
        Grbl.open(str(tmp_path / "file"), 115200)


def test_a_port_one_may_not_open():
    """In a process of nobody: root may open everything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with Simulator() as simulator:
        os.chmod(simulator.port, 0o600)
        group = grp.getgrgid(os.stat(simulator.port).st_gid).gr_name
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                Grbl.open(simulator.port, 115200)
            except InputError as error:
                expected = f"you may not open {simulator.port}; run: sudo usermod -aG {group} $USER, and log in again"
                os._exit(0 if str(error) == expected else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("baud", [0, 10**9])
def test_a_speed_that_cannot_be(baud):
    with pytest.raises(InputError, match=f"--baud must be a whole number from 300 to 4000000, got {baud}"):
        Grbl.open("/dev/null", baud)
