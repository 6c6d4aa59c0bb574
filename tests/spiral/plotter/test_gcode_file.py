from __future__ import annotations

import re

import pytest
from gcode_samples import ONE_PEN, SAMPLE, Z_SAMPLE, commands, drawn_lines, drawn_segments, exported, run_through
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.errors import InputError
from spiral.plotter.gcode_file import GcodeFile, unfinished


def read(folder, text):
    path = folder / "drawing.gcode"
    path.write_text(text)
    return GcodeFile.load(path)


@pytest.fixture
def sample(tmp_path):
    return read(tmp_path, SAMPLE)


def texts(lines):
    return [line.text for line in lines]


def stroke_part(text, number):
    """What of a file comes before a stroke."""
    return text[: text.index(f"(stroke {number} at")]


def test_every_command_is_read_and_knows_its_line(sample):
    assert texts(sample.lines) == commands(SAMPLE)
    rows = SAMPLE.splitlines()
    assert all(rows[line.number - 1] == line.text for line in sample.lines)


def test_the_comments_tell_strokes_pens_and_times(sample):
    assert (sample.machine, sample.seconds, sample.pens) == ("grbl-servo", 60.0, ("pen 1: black", "pen 2: red"))
    assert (sample.first, sample.last, sample.setup) == (1, 5, 4)
    assert [sample.lines[begin].text for begin in sample.begins.values()] == [
        "G0 X10.000 Y20.000",
        "G1 X30.000 Y30.000",
        "G0 X50.000 Y60.000",
        "G1 X60.000 Y70.000",
        "G0 X80.000 Y80.000",
    ]
    (pause,) = (line for line in sample.lines if line.note)
    assert (pause.text, pause.note, pause.stroke, pause.pen) == ("M0", "change to pen 2: red", 3, "pen 1: black")


def test_times_between_the_comments_are_spread_evenly(sample):
    begin = sample.begins[3]
    assert [line.seconds for line in sample.lines[begin : begin + 3]] == [40.0, 41.25, 42.5]
    assert sample.lines[-1].seconds == 58.0


def test_lines_may_end_as_on_windows(tmp_path, sample):
    assert texts(read(tmp_path, SAMPLE.replace("\n", "\r\n")).lines) == texts(sample.lines)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "(spiral-painter, machine grbl-servo)\n",
            "",
            r"not G-code of spiral export: it does not begin with \(spiral-painter",
        ),
        (
            "(spiral-painter, ",
            "; spiral-painter, (",
            "this is G-code for Marlin; spiral plot drives GRBL: export for a m",
        ),
        ("G0 X10.000", "M280 P0 S60", "line 9: 'M280 P0 S60 Y20.000' is nothing that spiral export writes for GRBL"),
        ("G0 X10.000 Y20.000", "M400", "line 9: 'M400' is nothing"),
        ("G0 X10.000", "G0 X1e3", "line 9: 'G0 X1e3 Y20.000' is nothing"),
        ("G0 X10.000", "G0 Xnan", "line 9: 'G0 Xnan Y20.000' is nothing"),
        ("G0 X10.000", "G0 X١٠", "line 9: 'G0 X١٠ Y20.000' is nothing"),
        ("G0 X10.000 Y20.000", "G1", "line 9: 'G1' is nothing"),
        ("G0 X10.000 Y20.000", "G91", "line 9: 'G91' is nothing"),
        ("G0 X10.000 Y20.000", "$H", "line 9: '\\$H' is nothing"),
        ("G0 X10.000 Y20.000", "G0 X1 Y2 ; there", "line 9: 'G0 X1 Y2 ; there' is nothing"),
        ("G0 X10.000 Y20.000", "G0 X1 Y2 (there)", r"line 9: 'G0 X1 Y2 \(there\)' is nothing"),
        ("G0 X10.000 Y20.000", "G0 X1 Y2!", "line 9: 'G0 X1 Y2!' is nothing"),
        ("G0 X10.000", "G0 X10." + 70 * "0", "line 9 has 85 characters; GRBL reads lines of at most 79"),
        ("(stroke 2 ", "(stroke 3 ", "line 14: stroke 3 follows stroke 1; export the file again"),
        ("(stroke 2 ", "(stroke 1 ", "line 14: stroke 1 follows stroke 1"),
        ("(stroke 1 ", "(stroke 0 ", "line 8: stroke 0 follows"),
        ("(end at 58.0 s)\n", "", r"not the whole file: it has no \(end ...\); export it again"),
        ("(estimate 60.0 s)\n", "", r"not the whole file: it has no \(estimate ...\)"),
        (SAMPLE[SAMPLE.index("(stroke 1") : SAMPLE.index("(end")], "", r"not the whole file: it has no \(stroke ...\)"),
    ],
)
def test_what_the_exporter_does_not_write_is_refused(tmp_path, before, after, message):
    assert before in SAMPLE
    with pytest.raises(InputError, match=f"drawing.gcode: {message}"):
        read(tmp_path, SAMPLE.replace(before, after, 1))


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*missing.gcode: No such file or directory"):
        GcodeFile.load(tmp_path / "missing.gcode")
    (tmp_path / "picture.gcode").write_bytes(b"\x89PNG\xff")
    with pytest.raises(InputError, match=r"picture.gcode: not a G-code file: not a text file"):
        GcodeFile.load(tmp_path / "picture.gcode")


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("spiral.plotter.gcode_file.MAX_FILE_BYTES", 2**20)
    with pytest.raises(InputError, match="larger than 1 MiB, the most a G-code file may have"):
        read(tmp_path, SAMPLE + 2**20 * " ")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path_factory, data):
    begin = data.draw(st.integers(0, len(SAMPLE)))
    end = data.draw(st.integers(begin, min(len(SAMPLE), begin + 40)))
    put = data.draw(st.text(alphabet="()GXYZMS0123456789. -\n;stroke", max_size=20))
    try:
        file = read(tmp_path_factory.getbasetemp(), SAMPLE[:begin] + put + SAMPLE[end:])
    except InputError as error:
        assert "\n" not in str(error)
    else:
        for stroke in file.begins:
            assert all(len(line.text) < 80 for line in file.from_stroke(stroke))


@pytest.mark.parametrize("machine", ["grbl-servo", "grbl-z", "grbl-brush"])
@pytest.mark.parametrize("seed", [3, 4])
def test_before_a_stroke_and_from_it_on_is_the_whole(tmp_path, machine, seed):
    text, path = exported(tmp_path, machine, seed)
    file = GcodeFile.load(path)
    whole_lines, whole = drawn_lines(text), drawn_segments(run_through(texts(file.lines)))
    assert len(whole) == len(whole_lines) > 50
    for stroke in file.begins:
        head, tail = stroke_part(text, stroke), texts(file.from_stroke(stroke))
        assert drawn_lines(head) + drawn_lines("\n".join(tail)) == whole_lines
        # The simulated plotter knows what the reader does not: that the feed is set, and the same.
        assert drawn_segments(run_through(commands(head))) + drawn_segments(run_through(tail)) == whole


def test_a_stroke_that_begins_with_the_pen_down_is_gone_on_with(sample):
    assert texts(sample.from_stroke(4))[:10] == [
        *["G21", "G90", "M3 S300", "G4 P0.150"],
        "M0",
        "G0 X60.000 Y60.000",
        *["M3 S700", "G4 P0.200"],
        "F2000",
        "G1 X60.000 Y70.000",
    ]


def test_a_pen_on_a_z_axis_is_lowered_as_far_and_as_slowly_as_it_was(tmp_path):
    assert texts(read(tmp_path, Z_SAMPLE).from_stroke(2))[4:8] == [
        "G0 X20.000 Y20.000",
        "G1 Z-0.500 F600",
        "F2000",
        "G1 X30.000 Y30.000",
    ]


def test_the_rest_of_a_file_begins_where_its_stroke_does(sample):
    assert {(line.stroke, line.seconds) for line in sample.from_stroke(4)[:10]} == {(4, 45.0)}


@pytest.mark.parametrize(("stroke", "pen"), [(1, "pen 1: black"), (2, "pen 1: black"), (3, "pen 2: red")])
def test_where_people_change_pens_the_right_one_is_asked_for(sample, stroke, pen):
    up_first = sample.from_stroke(stroke)[4]  # with the pen up
    assert (up_first.text, up_first.note) == ("M0", f"put {pen} in the holder")


def test_nothing_is_asked_for_where_nobody_changes_pens(tmp_path):
    assert all(line.text != "M0" for line in read(tmp_path, ONE_PEN).from_stroke(3))
    _, path = exported(tmp_path, "grbl-brush")
    assert all(line.text != "M0" for line in GcodeFile.load(path).from_stroke(3))


def test_a_brush_takes_its_own_paint_before_it_goes_on(tmp_path):
    text, path = exported(tmp_path, "grbl-brush")
    file = GcodeFile.load(path)
    for stroke in file.begins:
        trays = re.findall(r"\(dip (?!water)\w+\)\n(.*)\n(.*)\n(.*)\n(.*)\n", stroke_part(text, stroke))
        assert tuple(texts(file.from_stroke(stroke))[3:7]) == trays[-1]


@pytest.mark.parametrize("stroke", [0, 6])
def test_a_stroke_that_is_not_there_is_refused(sample, stroke):
    with pytest.raises(InputError, match=f"--from must be a whole number from 1 to 5, got {stroke}"):
        sample.from_stroke(stroke)


def test_a_part_of_a_drawing_keeps_the_numbers_of_its_strokes(tmp_path):
    text = SAMPLE[: SAMPLE.index("(stroke 1")] + SAMPLE[SAMPLE.index("(stroke 3") :]
    part = read(tmp_path, text)
    assert (part.first, part.last) == (3, 5)
    with pytest.raises(InputError, match="--from must be a whole number from 3 to 5, got 1"):
        part.from_stroke(1)


def test_the_way_home_raises_the_pen_first(sample):
    assert texts(sample.way_home()) == ["G21", "G90", "M3 S300", "G4 P0.150", "G0 X0.000 Y0.000"]


@pytest.mark.parametrize(
    ("answered", "planned", "stroke"),
    [
        (0, 20, 0),  # nothing was drawn
        (5, 20, 1),  # after the travel to stroke 1
        (9, 20, 1),  # stroke 2 is next, but the lines of stroke 1 may still wait
        (9, 0, 2),
        (10, 1, 2),
        (12, 20, 3),  # a dwell is answered when all before it is over: only the pause is left
        (29, 20, 6),  # all of it
    ],
)
def test_the_first_stroke_that_may_not_be_complete(sample, answered, planned, stroke):
    assert unfinished(sample.lines, answered, planned) == stroke
