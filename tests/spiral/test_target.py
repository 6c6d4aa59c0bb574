import os

import numpy as np
import pytest
from PIL import Image, ImageOps

from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.target import read_target

GREY = CanvasSpec(32, 16, 1, (0.8, 0.8, 0.8))
COLOR = CanvasSpec(32, 16, 3, (1.0, 0.0, 0.2))
BACKGROUND = (255, 0, 51)


def save(path, size=(40, 60), color=(0, 128, 0), mode="RGB"):
    Image.new(mode, size, color).save(path)
    return str(path)


def test_a_picture_of_another_shape_is_shown_whole_on_the_background(tmp_path):
    target = read_target(save(tmp_path / "a.png", (60, 60)), COLOR)
    assert target.name == "a.png" and target.canvas == COLOR
    assert target.pixels.shape == (16, 32, 3) and target.pixels.dtype == np.uint8
    assert (target.pixels[:, 8:24] == (0, 128, 0)).all()
    assert (target.pixels[:, :8] == BACKGROUND).all() and (target.pixels[:, 24:] == BACKGROUND).all()


def test_or_cropped_around_its_centre(tmp_path):
    picture = Image.new("RGB", (60, 60), (0, 128, 0))
    picture.paste((9, 9, 9), (0, 0, 60, 10))
    picture.save(tmp_path / "a.png")
    assert (read_target(str(tmp_path / "a.png"), COLOR, "crop").pixels == (0, 128, 0)).all()


def test_it_is_grey_on_a_grey_canvas(tmp_path):
    pixels = read_target(save(tmp_path / "a.png", (10, 10)), GREY).pixels
    assert pixels.shape == (16, 32, 1)
    assert (pixels[:, 8:24] == 75).all() and (pixels[:, :8] == 204).all()  # 0.587 * 128


@pytest.mark.parametrize(("canvas", "around"), [(GREY, (204,)), (COLOR, BACKGROUND)], ids=["grey", "color"])
def test_inverted_it_is_light_where_it_was_dark_and_the_background_stays(tmp_path, canvas, around):
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 32, 16))
    picture.save(tmp_path / "a.png")
    target = read_target(f"{tmp_path / 'a.png'}:invert", canvas)
    assert target.name == "a.png"
    assert (target.pixels[:4, 8:24] == 0).all()
    assert (target.pixels[12:] == around).all() and (target.pixels[:, :8] == around).all()


def test_a_negative_is_known_by_what_most_of_it_is_like_whatever_its_margins_are(tmp_path):
    lines = Image.new("L", (200, 20), 230)  # on a canvas of this shape most is margin
    lines.paste(10, (0, 5, 200, 10))
    lines.save(tmp_path / "lines.png")
    ImageOps.invert(lines).save(tmp_path / "negative.png")
    assert not read_target(str(tmp_path / "lines.png"), GREY).negative
    assert read_target(str(tmp_path / "negative.png"), GREY).negative
    assert not read_target(f"{tmp_path / 'negative.png'}:invert", GREY).negative


@pytest.mark.parametrize(("size", "shape"), [((5000, 1), np.s_[7:8, :]), ((1, 5000), np.s_[:, 15:16])])
def test_the_thinnest_picture_is_still_seen(tmp_path, size, shape):
    pixels = read_target(save(tmp_path / "a.png", size), COLOR).pixels
    seen = (pixels == (0, 128, 0)).all(axis=2)
    assert seen[shape].all() and seen.sum() == seen[shape].size


def test_by_tiles_its_canvas_has_its_own_shape(tmp_path):
    target = read_target(save(tmp_path / "a.png", (100, 100)), COLOR, tiles=2)
    assert (target.canvas.width, target.canvas.height) == (64, 64)
    assert (target.pixels == (0, 128, 0)).all()


def test_a_fine_pattern_becomes_its_mean_and_no_moire(tmp_path):
    stripes = np.zeros((320, 640), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    assert np.ptp(read_target(str(tmp_path / "a.png"), GREY).pixels[:, 1:-1]) <= 2


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    try:
        save(path)
    except OSError:
        pytest.skip("this file system takes no such names")
    assert read_target(path, GREY).name == "caf\N{REPLACEMENT CHARACTER}.png"


@pytest.mark.parametrize("suffix", ["", ":invert"])
def test_a_missing_picture_is_named_without_the_suffix(tmp_path, suffix):
    with pytest.raises(InputError, match=f"^cannot read {tmp_path}/a.png: No such file or directory$"):
        read_target(f"{tmp_path}/a.png{suffix}", GREY)
