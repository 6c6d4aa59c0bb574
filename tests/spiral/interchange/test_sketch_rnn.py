import dataclasses
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import spiral.interchange.sketch_rnn
from spiral import Program
from spiral.canvas import CanvasSpec
from spiral.errors import InputError, ProgramError
from spiral.interchange import load_drawing, load_drawings, load_program, save_programs

# Lines (10, 20) to (30, 20) to (30, 50), a dot at (0, 0), and a line (5, 5) to (6, 6).
STROKE_3 = np.array([[10, 20, 0], [20, 0, 0], [0, 30, 1], [-30, -50, 1], [5, 5, 0], [1, 1, 1]])
STROKE_5 = np.array([[*row[:2], 1 - row[2], row[2], 0] for row in STROKE_3.tolist()] + [[0, 0, 0, 0, 1]])
STARTS = [(10, 20), (30, 20), (0, 0), (5, 5)]
ENDS = [(30, 20), (30, 50), (0, 0), (6, 6)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cats.npz"


def pixels_of(program, end):
    return [tuple(256 * value - 0.5 for value in getattr(stroke, end)) for stroke in program.strokes]


def is_the_drawing(program):
    return (pixels_of(program, "start"), pixels_of(program, "end")) == (STARTS, ENDS)


@pytest.mark.parametrize("steps", [STROKE_3, STROKE_5], ids=["stroke-3", "stroke-5"])
@pytest.mark.parametrize("dtype", ["int8", ">i2", "int64", "float16", "<f4", "float64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_one_drawing_in_any_numbers(tmp_path, steps, dtype, order):
    np.save(tmp_path / "cat.npy", np.asarray(steps.astype(dtype), order=order))
    program, losses = load_drawing(tmp_path / "cat.npy")
    assert is_the_drawing(program) and losses == {}
    assert program.origin == "cat.npy, drawing 0"


def test_many_drawings_of_stroke_5_padded_with_anything_after_their_end(path):
    padded = np.full((3, 9, 5), np.nan)
    for row, steps in zip(padded, (STROKE_5, STROKE_5[-1:], STROKE_5), strict=True):
        row[: len(steps)] = steps
    np.savez(path, padded)
    first, none, last = [drawing.program for drawing in load_drawings(path)]
    assert is_the_drawing(first) and is_the_drawing(last) and none.strokes == ()
    assert last.origin == "cats.npz, drawing 2"


def test_many_drawings_of_stroke_3_with_their_lengths(path):
    padded = np.zeros((3, 9, 3), np.int16)
    padded[0, :6] = padded[2, :6] = STROKE_3
    np.savez_compressed(path, data=padded, lengths=[6, 0, 3])
    first, none, part = [drawing.program for drawing in load_drawings(path)]
    assert is_the_drawing(first) and none.strokes == ()
    assert part.strokes == first.strokes[:2]


def test_a_drawing_may_end_with_the_pen_down_and_without_an_end(tmp_path):
    np.save(tmp_path / "cat.npy", STROKE_5[:2])
    assert len(load_program(tmp_path / "cat.npy").strokes) == 1


def test_drawings_that_leave_the_frame_are_fitted_and_told(tmp_path):
    np.save(tmp_path / "cat.npy", np.array([[-0.5, 0, 0], [1.0, 0, 0], [0, 0.5, 1]]))
    program, losses = load_drawing(tmp_path / "cat.npy")
    assert pixels_of(program, "start") == [(0, 63.75), (255, 63.75)] and pixels_of(program, "end")[1] == (255, 191.25)
    assert losses.sentences() == ["drawings moved and scaled to fit the canvas: 1"]


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".NPZ", ".NPY"])
def test_what_is_written_is_stroke_5_padded_and_plain(tmp_path, suffix):
    np.save(tmp_path / "cat.npy", STROKE_3)
    program = load_program(tmp_path / "cat.npy")
    empty = Program(CanvasSpec(256, 256, 1), (), environment="none")
    path = tmp_path / f"out{suffix}"
    assert save_programs([program, empty], path) == {}
    array = np.load(path, allow_pickle=False)
    array = array if suffix.lower() == ".npy" else array["strokes"]
    assert load_program(path) == dataclasses.replace(program, origin=f"out{suffix}, drawing 0")
    assert array.dtype == np.int16 and array.shape == (2, 7, 5)
    assert (array[0] == STROKE_5).all() and (array[1] == STROKE_5[-1]).all()


def test_more_than_fits_into_an_array_is_refused(path, monkeypatch):
    monkeypatch.setattr(spiral.interchange.sketch_rnn, "MAX_ARRAY_BYTES", 20_000)
    program = Program(CanvasSpec(256, 256, 1), (), environment="none")
    with pytest.raises(
        InputError, match=r"3,000 drawings, each padded to the 1 points of the longest, take 30 kB, more than 20"
    ):
        save_programs([program] * 3_000, path)
    assert not path.exists()


class Trap:
    """What runs a program where it is unpickled."""

    def __reduce__(self):
        return print, ("unpickled!",)


def test_published_files_are_pickle_and_never_opened(path, capsys):
    drawings = np.array([Trap(), Trap()], dtype=object)
    np.savez(path, train=drawings, valid=drawings)
    with pytest.raises(ProgramError) as caught:
        load_program(path)
    assert str(caught.value) == (
        f"{path}: train.npy: it holds pickled Python objects, as published sketch-rnn files do; these can run programs "
        "and are never opened. Accepted are arrays of plain numbers"
    )
    assert capsys.readouterr().out == ""


def stroke_5(step, **columns):
    steps = STROKE_5.astype(float)
    steps[step, list(map(int, (name[1] for name in columns)))] = list(columns.values())
    return {"a": steps}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "it must hold one array of strokes, and lengths if need be, got none"),
        ({"a": STROKE_3, "b": STROKE_3}, "it must hold one array of strokes, and lengths if need be, got a, b"),
        ({"lengths": [1]}, "it must hold one array of strokes, and lengths if need be, got none"),
        ({"a": np.zeros(3)}, r"a\.npy: shape must be \[L, 3 or 5\] or \[N, L, 3 or 5\], got \[3\]"),
        ({"a": np.zeros((2, 4))}, r"a\.npy: shape must be .* got \[2, 4\]"),
        ({"a": np.zeros((1, 2, 2, 5))}, r"a\.npy: shape must be .* got \[1, 2, 2, 5\]"),
        ({"a": np.zeros((9, 0, 5))}, r"a\.npy: shape must be .* got \[9, 0, 5\]"),
        ({"a": np.array("drawing")}, r"a\.npy: it must hold integers or floats, got <U7 \[\]"),
        ({"a": np.zeros((2, 3), bool)}, r"a\.npy: it must hold integers or floats, got bool \[2, 3\]"),
        ({"a": np.zeros((2, 3), complex)}, r"a\.npy: it must hold integers or floats, got complex128 \[2, 3\]"),
        ({"a": np.zeros(2, "i4,f4")}, r"a\.npy: it must hold integers or floats, got"),
        ({"a": np.zeros((2, 9, 3))}, r"a\.npy: many drawings of stroke-3 need an array 'lengths' beside them"),
        (
            {"a": np.zeros((2, 9, 3)), "lengths": [1.0, 2.0]},
            r"lengths\.npy: it must be a whole number for each of 2 dr",
        ),
        ({"a": np.zeros((2, 9, 3)), "lengths": [1]}, r"lengths\.npy: it must be .* 2 drawings, got int64 \[1\]"),
        ({"a": np.zeros((2, 9, 3)), "lengths": [1, 10]}, r"lengths\.npy: lengths must be from 0 to 9, got 1 to 10"),
        ({"a": np.zeros((2, 9, 3)), "lengths": [-1, 9]}, r"lengths\.npy: lengths must be from 0 to 9, got -1 to 9"),
        ({"a": np.asfortranarray(np.zeros((2, 9, 5)))}, r"a\.npy: it is in Fortran order; save numpy\.ascontiguousarr"),
        ({"a": STROKE_3 + [0, 0, 1]}, r"drawing 0: step 2: the pen must be 0 or 1, got \[2\.0\]"),
        (stroke_5(3, _2=1), r"drawing 0: step 3: the pen must be one 1 of down, up, end, got \[1\.0, 1\.0, 0\.0\]"),
        (stroke_5(3, _3=0), r"drawing 0: step 3: the pen must be one 1 of down, up, end, got \[0\.0, 0\.0, 0\.0\]"),
        (stroke_5(3, _3=0.5, _2=0.5), r"drawing 0: step 3: the pen must be"),
        (stroke_5(1, _0=np.nan), r"drawing 0: step 1 must lead to a point within 1e\+06 units, got \[nan, 20\.0\]"),
        (stroke_5(1, _1=np.inf), r"drawing 0: step 1 must lead to a point within 1e\+06 units, got \[30\.0, inf\]"),
        (stroke_5(1, _1=1e300), r"drawing 0: step 1 must lead to a point within 1e\+06 units, got \[30\.0, 1e\+300\]"),
    ],
)
def test_wrong_arrays_are_refused_by_name_drawing_and_step(path, arrays, message):
    np.savez(path, **arrays)
    with pytest.raises(ProgramError, match=rf"cats\.npz: {message}") as caught:
        load_program(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < len(str(path)) + 300


def header(shape, dtype="<i2", version=(1, 0), length=None):
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text) if length is None else length)
    return b"\x93NUMPY" + bytes(version) + size + text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an array saved by NumPy, or damaged"),
        (header((7, 5), version=(2, 0), length=2**32 - 1), "not an array saved by NumPy, or damaged"),
        (header("(" * 5000), "not an array saved by NumPy, or damaged"),
        (header((-1, 5)), r"it must hold integers or floats, got int16 \[-1, 5\]"),
        (header((7, 5)) + b"\0" * 69, "cut short in row 0 of 1"),
        (header((2, 7, 5)) + STROKE_5.astype("<i2").tobytes(), "cut short in row 1 of 2"),
        (header((10**9, 5)), r"int16 \[1000000000, 5\] is larger than 8 MiB, the most allowed"),
        (header((2, 10**30, 5)), r"int16 \[10+, 5\] is larger than 8 MiB, the most allowed"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, data, message):
    (tmp_path / "cat.npy").write_bytes(data)
    with pytest.raises(ProgramError, match=rf"cat\.npy: {message}"):
        list(load_drawings(tmp_path / "cat.npy"))


def peak_of_loading(path, data):
    """Bytes of memory at the most, where the data and 64 MiB of zeros are deflated to a small archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", data + bytes(64 * 2**20))
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    try:
        program = load_program(path)
    except ProgramError:
        program = None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return program, peak


def test_a_bomb_is_read_no_further_than_asked(path):
    drawing = np.full((1000, 5), STROKE_5[-1], "<i2")
    drawing[:7] = STROKE_5
    program, peak = peak_of_loading(path, header((10**12, 1000, 5)) + drawing.tobytes())
    assert is_the_drawing(program) and peak < 2 * 2**20


def test_a_header_as_large_as_a_bomb_is_not_read(path):
    program, peak = peak_of_loading(path, header((7, 5), version=(2, 0), length=64 * 2**20))
    assert program is None and peak < 2 * 2**20


def test_an_archive_that_is_damaged_or_locked_is_refused(path):
    np.savez(path, STROKE_3)
    good = path.read_bytes()
    path.write_bytes(good[:-30])
    with pytest.raises(ProgramError, match=r"cats\.npz: not a file of NumPy's arrays, or damaged \(File is not a zip"):
        load_program(path)
    path.write_bytes(good.replace(STROKE_3.tobytes(), (STROKE_3 + 1).tobytes()))
    with pytest.raises(ProgramError, match=r"cats\.npz: .*, or damaged"):
        load_program(path)
    locked = bytearray(good)
    locked[good.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(ProgramError, match=r"cats\.npz: not a file of NumPy's arrays, or damaged \(.*encrypted"):
        load_program(path)


def test_files_in_an_archive_that_are_no_arrays_are_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ProgramError, match=r"cats\.npz: readme\.txt: not an array saved by NumPy, or damaged"):
        load_program(path)


def test_numpy_reads_the_headers_alike():
    """The tests above write headers by hand; this is what holds them to the format."""
    data = header((7, 5)) + STROKE_5.astype("<i2").tobytes()
    assert (np.load(io.BytesIO(data), allow_pickle=False) == STROKE_5).all()
