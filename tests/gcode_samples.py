"""G-code as the exporter writes it for GRBL, and what other readers make of it."""

from __future__ import annotations

from gcodeparser import parse_gcode_lines
from grbl_simulator import Firmware
from plotter_programs import random_program

from spiral.export import export

UP, DOWN = 300, 700  # S of the servo

# Strokes 2 and 4 are chained: the pen stays down. Stroke 5 has no line of its own, it is a dot.
SAMPLE = """\
(spiral-painter, machine grbl-servo)
(estimate 60.0 s)
G21
G90
M3 S300
G4 P0.150
(pen 1: black)
(stroke 1 at 0.5 s)
G0 X10.000 Y20.000
M3 S700
G4 P0.200
G1 X20.000 Y20.000 F2000
G1 X20.000 Y30.000
(stroke 2 at 5.0 s)
G1 X30.000 Y30.000
M3 S300
G4 P0.150
(pause: change to pen 2: red)
M0
(pen 2: red)
(stroke 3 at 40.0 s)
G0 X50.000 Y60.000
M3 S700
G4 P0.200
G1 X60.000 Y60.000
(stroke 4 at 45.0 s)
G1 X60.000 Y70.000
G1 X50.000 Y70.000
M3 S300
G4 P0.150
(stroke 5 at 50.0 s)
G0 X80.000 Y80.000
M3 S700
G4 P0.200
M3 S300
G4 P0.150
(end at 58.0 s)
G0 X0.000 Y0.000
"""
ONE_PEN = SAMPLE.replace("(pause: change to pen 2: red)\nM0\n(pen 2: red)\n", "")
# The same kind of drawing by a z axis, without dwells.
Z_SAMPLE = """\
(spiral-painter, machine grbl-z)
(estimate 60.0 s)
G21
G90
G1 Z4.000 F600
(pen 1: black)
(stroke 1 at 0.5 s)
G0 X10.000 Y20.000
G1 Z0.000
G1 X20.000 Y20.000 Z-0.500 F2000
(stroke 2 at 5.0 s)
G1 X30.000 Y30.000
G1 Z4.000 F600
(pause: change to pen 2: red)
M0
(pen 2: red)
(stroke 3 at 40.0 s)
G0 X50.000 Y60.000
G1 Z0.000
G1 X60.000 Y60.000 F2000
G1 Z4.000 F600
(end at 58.0 s)
G0 X0.000 Y0.000
"""


def exported(folder, machine, seed=3, strokes=12):
    """The text of a random program for a machine, and its file."""
    path = folder / f"{machine}-{seed}.gcode"
    export(random_program(seed, strokes=strokes), [path], machine)
    return path.read_text(), path


def commands(text):
    """Everything that is no comment."""
    return [line for line in text.splitlines() if line and not line.startswith("(")]


def drawn_lines(text):
    """The lines drawn, ((x, y, z), (x, y, z)) in mm, as gcodeparser reads them."""
    at, down, lines = {"X": 0.0, "Y": 0.0, "Z": 0.0}, False, []
    for line in parse_gcode_lines(text):
        if line.command == ("M", 3):
            down = line.params["S"] == DOWN
        elif line.command in (("G", 0), ("G", 1)):
            before = tuple(at.values())
            at |= {axis: value for axis, value in line.params.items() if axis in at}
            by_z = "Z" in text and min(before[2], at["Z"]) <= 0
            if line.command == ("G", 1) and (down or by_z) and before[:2] != tuple(at.values())[:2]:
                lines.append((before, tuple(at.values())))
    return lines


def drawn_segments(firmware):
    """Of everything that the simulated plotter has moved: what left ink."""
    return [one for one in firmware.segments if is_down(one) and not one.rapid and one.start[:2] != one.end[:2]]


def is_down(segment):
    return segment.servo == DOWN if segment.servo is not None else min(segment.start[2], segment.end[2]) <= 0


def run_through(texts):
    """A plotter that has drawn these lines, sent one by one."""
    firmware = Firmware(speed=1e6)
    firmware.switch_on()
    for text in texts:
        if text != "M0":
            firmware.receive(text.encode() + b"\n")
            while firmware.unanswered:
                firmware.advance(1.0)
    while firmware.state == "Run" or firmware.advance(1.0) or firmware.state == "Run":
        firmware.advance(1.0)
    return firmware
