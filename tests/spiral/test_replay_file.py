import av
import pytest
from PIL import Image

from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.replay_file import KINDS, writer_for

STROKE = Stroke((0.1, 0.5), (0.5, 0.1), (0.9, 0.5), Brush(0.1, pressure=(0.2, 1.0)))
PROGRAM = Program(CanvasSpec(64, 48, 3), (STROKE,))
BEGINNINGS = {
    ".png": b"\x89PNG",
    ".svg": b"<svg",
    ".html": b"<!DOCTYPE html>",
    ".gif": b"GIF89a",
    ".apng": b"\x89PNG",
    ".mp4": b"\0\0\0",
}


def test_every_kind_of_file_is_tested():
    assert list(KINDS) == list(BEGINNINGS)


@pytest.mark.parametrize("suffix", [*KINDS, ".PNG"])
def test_the_suffix_chooses_what_is_written(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    writer_for(path)(PROGRAM)
    assert path.read_bytes().startswith(BEGINNINGS[suffix.lower()])


@pytest.mark.parametrize("size", [16, 100, 333])
@pytest.mark.parametrize(("width", "height"), [(64, 48), (17, 64), (1024, 16)])
def test_a_picture_or_film_has_the_size_asked_for_along_its_longer_side(tmp_path, size, width, height):
    program = Program(CanvasSpec(width, height, 3), (STROKE,))
    shown = tuple(max(1, round(side * size / max(width, height))) for side in (width, height))
    for suffix in (".png", ".gif", ".apng"):
        path = tmp_path / f"a{suffix}"
        writer_for(path, size=size, seconds=None if suffix == ".png" else 0.1)(program)
        with Image.open(path) as picture:
            assert picture.size == shown
    writer_for(tmp_path / "a.mp4", size=size, seconds=0.1)(program)
    with av.open(tmp_path / "a.mp4") as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height) == tuple(side + side % 2 for side in shown)


@pytest.mark.parametrize(("strokes", "frames"), [(1, 6), (100, 20), (1000, 40)])
def test_a_film_of_more_strokes_is_longer_to_a_limit(tmp_path, strokes, frames):
    path = tmp_path / "a.apng"
    writer_for(path, size=16, fps=2)(Program(PROGRAM.canvas, (STROKE,) * strokes))
    with Image.open(path) as film:
        assert film.n_frames == frames + 1


@pytest.mark.parametrize("name", ["a.jpg", "a", "png"])
def test_an_unknown_suffix_is_answered_with_the_accepted_ones(name):
    with pytest.raises(InputError, match=r"unknown suffix '.*'; accepted: \.png, \.svg, \.html, \.gif, \.apng, \.mp4$"):
        writer_for(name)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "a.png",
            {"seconds": 3.0},
            "a PNG has no seconds, got 3.0; leave it out or write one of .html, .gif, .apng, .mp4",
        ),
        ("a.svg", {"fps": 20}, "an SVG has no fps, got 20; leave it out or write one of .gif, .apng, .mp4"),
        (
            "a.svg",
            {"renderer": "cairo"},
            "an SVG has no renderer, got 'cairo'; leave it out or write one of .png, .gif",
        ),
        ("a.html", {"size": 512}, "an HTML player has no size, got 512; leave it out or write one of .png, .svg, .gif"),
    ],
)
def test_an_option_that_such_a_file_does_not_have_is_refused_before_there_is_a_program(name, options, message):
    with pytest.raises(InputError) as refused:
        writer_for(name, **options)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.png", {"size": 15}, "size must be a whole number from 16 to 8192, got 15"),
        ("a.gif", {"size": 2049}, "the size of a GIF must be a whole number from 16 to 2048, got 2049"),
        ("a.apng", {"size": 4097}, "the size of an APNG must be a whole number from 16 to 4096, got 4097"),
        ("a.mp4", {"size": 3073}, "the size of an MP4 must be a whole number from 16 to 3072, got 3073"),
        ("a.gif", {"fps": 51}, "the fps of a GIF must be a whole number from 1 to 50, got 51"),
        ("a.mp4", {"fps": 0}, "the fps of an MP4 must be a whole number from 1 to 60, got 0"),
        ("a.apng", {"seconds": 0.05}, "seconds must be a number from 0.1 to 3600, got 0.05"),
        ("a.html", {"seconds": float("nan")}, "seconds must be a number from 0.1 to 3600, got nan"),
        (
            "a.mp4",
            {"seconds": 1001.0, "size": 16},
            "1001 seconds at 20 fps are 20,020 frames of 16 x 12 pixels, too much for an MP4; give fewer seconds or fps, or",
        ),
        (
            "a.gif",
            {"seconds": 10.0, "size": 1024},
            "10 seconds at 20 fps are 200 frames of 1024 x 768 pixels, too much for a GIF; give fewer seconds or fps, or",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(tmp_path, name, options, message):
    with pytest.raises(InputError) as refused:
        writer_for(tmp_path / name, **options)(PROGRAM)
    assert str(refused.value).startswith(message)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "items"), [("a.png", 1), ("a.gif", 61), ("a.apng", 61), ("a.mp4", 61)])
def test_whoever_watches_sees_every_step_of_long_work(tmp_path, name, items):
    seen = []

    def watch(work, count):
        for item in work:
            yield item
            seen.append(count)

    writer_for(tmp_path / name, size=16)(PROGRAM, watch)
    assert seen == [items] * items
