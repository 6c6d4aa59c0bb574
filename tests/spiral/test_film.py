import hashlib

import numpy as np
import pytest
from PIL import Image

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.film import GAP_LEVEL, contact_sheet, painting_frames, save_gif, save_png, writer_for

ACROSS = Stroke((0.1, 0.5), (0.5, 0.5), (0.9, 0.5), Brush(0.1, (1.0, 0.0, 0.0), opacity=0.5))
DOWN = Stroke((0.5, 0.1), (0.5, 0.5), (0.5, 0.9), Brush(0.2, (0.0, 0.0, 1.0), opacity=0.5, pressure=(0.1, 1.0)))
PROGRAM = Program(CanvasSpec(64, 48, 3), (ACROSS, DOWN))
GREY = Program(CanvasSpec(32, 32, 1), (Stroke((0.1, 0.1), (0.5, 0.9), (0.9, 0.1), Brush(0.2)),))


@pytest.mark.parametrize("program", [PROGRAM, GREY])
def test_a_png_holds_the_pixels(tmp_path, program):
    pixels = replay(program)
    save_png(pixels, tmp_path / "a.png")
    read = np.asarray(Image.open(tmp_path / "a.png"))
    assert (read.reshape(pixels.shape) == pixels).all()


@pytest.mark.parametrize("pixels", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8)])
def test_what_is_no_picture_is_refused(tmp_path, pixels):
    with pytest.raises(InputError, match=r"a picture must be uint8 \[H, W, 1 or 3\], got (float64|uint8) \["):
        save_png(pixels, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_sheet_has_its_pictures_row_by_row_with_gaps():
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((5, 2, 3, 1), np.uint8)
    sheet = contact_sheet(images, columns=3, scale=2, gap=1)
    assert sheet.shape == (2 * (4 + 1) + 1, 3 * (6 + 1) + 1, 1)
    assert (sheet[1:5, 1:7] == 0).all() and (sheet[1:5, 15:21] == 2).all() and (sheet[6:10, 8:14] == 4).all()
    assert (sheet[6:10, 15:21] == GAP_LEVEL).all()
    assert (sheet[[0, 5, 10]] == GAP_LEVEL).all() and (sheet[:, [0, 7, 14, 21]] == GAP_LEVEL).all()


def test_a_sheet_of_few_is_no_wider_than_they_are():
    assert contact_sheet(np.zeros((2, 4, 4, 3), np.uint8), columns=8, gap=0).shape == (4, 8, 3)


def test_captions_are_under_their_pictures_and_differ():
    images = np.full((2, 32, 64, 3), 100, np.uint8)
    sheet = contact_sheet(images, columns=2, gap=0, captions=["one", "two"])
    assert (sheet[:32] == 100).all()
    left, right = sheet[32:, :64], sheet[32:, 64:]
    assert (left == 0).any() and (right == 0).any() and (left != right).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((0, 4, 4, 1), np.uint8)}, r"images must be uint8 \[N, H, W, 1 or 3\] with N > 0, got ui"),
        ({"images": np.zeros((1, 4, 4, 1))}, r"got float64 \[1, 4, 4, 1\]"),
        ({"columns": 0}, "columns must be a whole number from 1 to 1000, got 0"),
        ({"scale": 1.5}, "scale must be a whole number from 1 to 1000, got 1.5"),
        ({"gap": -1}, "gap must be a whole number from 0 to 1000, got -1"),
        ({"captions": ["a", "b"]}, "captions must be one for each of the 1 images, got 2"),
    ],
)
def test_a_sheet_that_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        contact_sheet(**{"images": np.zeros((1, 4, 4, 1), np.uint8)} | arguments)


def test_a_painting_grows_from_blank_to_the_replay():
    frames = list(painting_frames(PROGRAM, frames=10, size=128))
    assert len(frames) == 11
    assert (frames[0] == 255).all()
    assert (frames[-1] == replay(PROGRAM, size=128)).all()
    ink = [(255 - frame.astype(int)).sum() for frame in frames]
    assert all(np.diff(ink) > 0)


def test_a_stroke_being_painted_has_its_opacity_from_the_beginning():
    assert min(frame.min() for frame in painting_frames(Program(PROGRAM.canvas, (ACROSS,)), frames=10)) >= 127


def test_a_painting_without_strokes_is_one_blank_frame():
    (frame,) = painting_frames(Program(PROGRAM.canvas, ()))
    assert (frame == 255).all()


@pytest.mark.parametrize("frames", [0, 10_001, 2.5])
def test_a_count_of_frames_out_of_range_is_refused(frames):
    with pytest.raises(InputError, match=f"frames must be a whole number from 1 to 10000, got {frames}"):
        next(painting_frames(PROGRAM, frames=frames))


@pytest.mark.parametrize("program", [PROGRAM, GREY])
def test_a_gif_holds_the_frames_and_rests_on_the_last(tmp_path, program):
    frames = list(painting_frames(program, frames=12))
    save_gif(frames, tmp_path / "a.gif", frame_ms=40, last_ms=1000)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == len(frames) and gif.info["loop"] == 0
        for i, frame in enumerate(frames):
            gif.seek(i)
            assert gif.info["duration"] == (1000 if i == len(frames) - 1 else 40)
            shown = np.asarray(gif.convert("RGB" if frame.shape[-1] == 3 else "L")).astype(int).reshape(frame.shape)
            assert np.abs(shown - frame).mean() < 1
            assert np.abs(shown - frame).max() < 40
            assert (shown[(frame == 255).all(axis=-1)] == 255).all()


def test_the_same_frames_give_the_same_gif(tmp_path):
    for name in "ab":
        save_gif(painting_frames(PROGRAM, frames=5), tmp_path / name)
    first, second = (hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in "ab")
    assert first == second


def test_a_gif_of_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match="a GIF must have at least one frame, got none"):
        save_gif([], tmp_path / "a.gif")


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.svg", "A.PNG"])
def test_the_suffix_chooses_the_writer(tmp_path, name):
    beginnings = {".png": b"\x89PNG", ".gif": b"GIF89a", ".svg": b"<svg"}
    path = tmp_path / name
    writer_for(path)(PROGRAM, path, size=100)
    assert path.read_bytes().startswith(beginnings[path.suffix.lower()])
    if path.suffix != ".svg":
        assert Image.open(path).size == (100, 75)


@pytest.mark.parametrize("name", ["a.jpg", "a", "png"])
def test_an_unknown_suffix_is_answered_with_the_accepted_ones(name):
    with pytest.raises(InputError, match=r"unknown suffix '.*'; accepted: \.png, \.gif, \.svg"):
        writer_for(name)


def test_a_gif_too_large_for_memory_is_refused(tmp_path):
    path = tmp_path / "a.gif"
    with pytest.raises(InputError, match="a GIF has at most 1024 pixels a side, got size 1025; give a smaller size"):
        writer_for(path)(PROGRAM, path, size=1025)


def test_an_svg_by_a_renderer_is_refused(tmp_path):
    path = tmp_path / "a.svg"
    with pytest.raises(InputError, match="an SVG is not drawn by a renderer, got 'cairo'; leave it out or write a"):
        writer_for(path)(PROGRAM, path, renderer="cairo")
