import math
import sys
import weakref

import av
import numpy as np
import pytest
from PIL import Image

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError, SpiralError
from spiral.film import REST_SECONDS, painting_frames, save_apng, save_gif, save_mp4

ACROSS = Stroke((0.1, 0.5), (0.5, 0.5), (0.9, 0.5), Brush(0.1, (1.0, 0.0, 0.0), opacity=0.5))
DOWN = Stroke((0.5, 0.1), (0.5, 0.5), (0.5, 0.9), Brush(0.2, (0.0, 0.0, 1.0), opacity=0.5, pressure=(0.0, 1.0)))
PROGRAM = Program(CanvasSpec(64, 48, 3), (ACROSS, DOWN))
GREY = Program(CanvasSpec(33, 31, 1), (Stroke((0.1, 0.1), (0.5, 0.9), (0.9, 0.1), Brush(0.2)),))
SAVERS = [save_gif, save_apng, save_mp4]


# -- frames -----------------------------------------------------------------------------------------------------------


def test_a_painting_grows_from_blank_to_the_replay():
    frames = list(painting_frames(PROGRAM, frames=10, size=128))
    assert len(frames) == 11
    assert (frames[0] == 255).all()
    assert (frames[-1] == replay(PROGRAM, size=128)).all()
    ink = [(255 - frame.astype(int)).sum() for frame in frames]
    assert all(np.diff(ink) > 0)


def test_a_stroke_being_painted_has_its_opacity_from_the_beginning():
    assert min(frame.min() for frame in painting_frames(Program(PROGRAM.canvas, (ACROSS,)), frames=10)) >= 127


def test_the_brush_moves_at_an_even_speed_where_the_parameter_of_the_curve_does_not():
    there_and_on = Stroke((0.0, 0.5), (0.0, 0.5), (1.0, 0.5), Brush(0.1))  # at half its parameter a quarter is painted
    frames = list(painting_frames(Program(CanvasSpec(200, 100, 1), (there_and_on,)), frames=4))
    reached = [np.flatnonzero((frame < 128).any(axis=(0, 2))).max() for frame in frames[1:]]
    assert reached == pytest.approx([55, 105, 155, 200], abs=3)


def test_a_frame_between_two_strokes_shows_the_one_finished_and_nothing_of_the_other():
    frames = list(painting_frames(Program(PROGRAM.canvas, (ACROSS, ACROSS)), frames=2))
    assert (frames[1] == replay(Program(PROGRAM.canvas, (ACROSS,)))).all()


def test_a_painting_without_strokes_is_one_blank_frame():
    (frame,) = painting_frames(Program(PROGRAM.canvas, ()), frames=5)
    assert (frame == 255).all()


@pytest.mark.parametrize("frames", [0, 20_001, 2.5])
def test_a_count_of_frames_out_of_range_is_refused(frames):
    with pytest.raises(InputError, match=f"frames must be a whole number from 1 to 20000, got {frames}"):
        next(painting_frames(PROGRAM, frames=frames))


# -- every kind of file -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", SAVERS)
def test_the_same_frames_give_the_same_file(tmp_path, save):
    for name in "ab":  # of 128 pixels: of less than 96, x264 makes one file in twenty another one
        save(painting_frames(PROGRAM, frames=5, size=128), tmp_path / name, fps=20)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("save", "kind"), [(save_gif, "a GIF"), (save_apng, "an APNG"), (save_mp4, "an MP4")])
def test_a_film_of_nothing_or_of_no_pictures_is_refused(tmp_path, save, kind):
    with pytest.raises(InputError, match=f"{kind} must have at least one frame, got none"):
        save([], tmp_path / "a", fps=20)
    with pytest.raises(InputError, match=r"a picture must be uint8 \[H, W, 1 or 3\], got float64 \[4, 4\]"):
        save([np.zeros((4, 4))], tmp_path / "a", fps=20)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("save", [save_apng, save_mp4])
def test_frames_are_written_as_they_come_and_not_kept(tmp_path, save):
    made = []

    def frames():
        for i in range(100):
            frame = np.full((16, 16, 3), i, np.uint8)
            made.append(weakref.ref(frame))
            yield frame
            assert sum(one() is not None for one in made) < 5

    save(frames(), tmp_path / "a", fps=20)


@pytest.mark.parametrize("save", SAVERS)
def test_one_frame_is_a_film_too(tmp_path, save):
    save([np.full((16, 16, 1), 77, np.uint8)], tmp_path / "a", fps=20)
    assert (tmp_path / "a").stat().st_size > 0


# -- GIF --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", [PROGRAM, GREY])
def test_a_gif_holds_the_frames_and_rests_on_the_last(tmp_path, program):
    frames = list(painting_frames(program, frames=12))
    save_gif(frames, tmp_path / "a.gif", fps=25)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == len(frames) and gif.info["loop"] == 0
        for i, frame in enumerate(frames):
            gif.seek(i)
            assert gif.info["duration"] == (2000 if i == len(frames) - 1 else 40)
            shown = np.asarray(gif.convert("RGB" if frame.shape[-1] == 3 else "L")).astype(int).reshape(frame.shape)
            assert np.abs(shown - frame).mean() < 1
            assert np.abs(shown - frame).max() < 40
            assert (shown[(frame == 255).all(axis=-1)] == 255).all()


def test_the_hundredths_of_a_gif_do_not_make_it_shorter_or_longer(tmp_path):
    save_gif(painting_frames(PROGRAM, frames=30), tmp_path / "a.gif", fps=30)
    with Image.open(tmp_path / "a.gif") as gif:
        durations = [gif.seek(i) or gif.info["duration"] for i in range(gif.n_frames - 1)]
    assert set(durations) == {30, 40} and sum(durations) == 1000


# -- APNG -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", [PROGRAM, GREY])
def test_an_apng_holds_every_pixel_of_every_frame_and_rests_on_the_last(tmp_path, program):
    frames = list(painting_frames(program, frames=12))
    frames.insert(5, frames[4])  # one that changes nothing
    save_apng(frames, tmp_path / "a.apng", fps=25)
    with Image.open(tmp_path / "a.apng") as film:
        assert film.format == "PNG" and film.n_frames == len(frames) and film.info["loop"] == 0
        for i, frame in enumerate(frames):
            film.seek(i)
            assert film.info["duration"] == (2000 if i == len(frames) - 1 else 40)
            shown = np.asarray(film.convert("RGBA"))
            assert (shown[..., :3] == frame).all() and (shown[..., 3] == 255).all()


def test_a_frame_takes_little_space_where_little_changes(tmp_path):
    noise = np.random.default_rng(0).integers(256, size=(100, 100, 3), dtype=np.uint8)
    changed = noise.copy()
    changed[[0, -1]] ^= 255
    for name, frames in (("one", [noise]), ("two", [noise, changed])):
        save_apng(frames, tmp_path / name, fps=20)
    one, two = ((tmp_path / name).stat().st_size for name in ("one", "two"))
    assert two - one < 0.05 * one


# -- MP4 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", [PROGRAM, GREY])
def test_an_mp4_holds_the_frames_and_rests_on_the_last(tmp_path, program):
    frames = list(painting_frames(program, frames=12, size=161))
    save_mp4(frames, tmp_path / "a.mp4", fps=25)
    with av.open(tmp_path / "a.mp4") as film:
        (stream,) = film.streams
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
        assert stream.average_rate == 25
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert len(shown) == len(frames) + REST_SECONDS * 25
    height, width, _ = frames[0].shape
    assert width % 2 == 1 and shown[0].shape == (math.ceil(height / 2) * 2, width + 1, 3)
    for i in (0, 6, 12, -1):
        frame = frames[min(i, 12)].astype(int)
        assert np.abs(shown[i][:height, :width] - frame).mean() < 2
    assert (shown[0] > 250).all()  # what is added to an odd side too


def test_an_mp4_says_how_its_colors_are_meant(tmp_path):
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 100, 50), (0, 0, 0), (255, 255, 255)]
    stripes = np.repeat(np.repeat(np.uint8([colors]), 32, axis=1), 64, axis=0)
    save_mp4([stripes], tmp_path / "a.mp4", fps=20)
    with av.open(tmp_path / "a.mp4") as film:
        context = film.streams.video[0].codec_context
        bt709, limited = 1, 1
        assert (context.color_primaries, context.color_trc, context.colorspace) == (bt709, bt709, bt709)
        assert context.color_range == limited
        luma = next(film.decode(video=0)).to_ndarray(format="yuv420p")[32, 16::32]
    expected = 16 + 219 * (np.array(colors) @ [0.2126, 0.7152, 0.0722]) / 255  # as the standard has it
    assert luma == pytest.approx(expected, abs=2)


def test_an_mp4_can_be_played_before_it_is_read_whole(tmp_path):
    save_mp4(painting_frames(PROGRAM, frames=5), tmp_path / "a.mp4", fps=20)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_without_an_encoder_there_is_no_mp4(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(SpiralError, match=r"no encoder for H.264 \(libx264\); install another one or write a .apng"):
        save_mp4(painting_frames(PROGRAM, frames=5), tmp_path / "a.mp4", fps=20)
    assert not list(tmp_path.iterdir())


def test_without_pyav_the_other_films_are_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    save_apng(painting_frames(PROGRAM, frames=5), tmp_path / "a.apng", fps=20)
    with pytest.raises(ModuleNotFoundError, match="av"):
        save_mp4(painting_frames(PROGRAM, frames=5), tmp_path / "a.mp4", fps=20)
    assert [path.name for path in tmp_path.iterdir()] == ["a.apng"]
