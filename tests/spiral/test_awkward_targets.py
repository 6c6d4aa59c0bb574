"""Image files that go wrong elsewhere, handed to ``spiral paint --target``: each painted as it looks, or refused by name."""

import os
import re
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from untrained import save_untrained

from spiral import Program, config
from spiral.cli import main

SIDE = 16  # pixels of the canvas
BLACK, WHITE, RED, GREY = (0, 0, 0), (255, 255, 255), (255, 0, 0), (128, 128, 128)
SEEN_AT = slice(2, None, 340 // SIDE)  # a pixel of each of the canvas's on the sheet


@pytest.fixture(scope="module")
def painter(tiny_run, tmp_path_factory):
    """A painter of given pictures in colour that has learned nothing."""
    run = config.override(tiny_run, ["env.target=true", "env.channels=3", "env.color_levels=3", "env.episode_length=1"])
    return save_untrained(run, tmp_path_factory.mktemp("painter"))


def paint(painter, path, folder):
    return CliRunner().invoke(main, ["paint", str(painter), "--target", str(path), "-o", str(folder)])


def flat(value, mode="RGB", size=(48, 48)):
    return Image.new(mode, size, value)


def wide(value):
    return Image.fromarray(np.full((48, 48), value, np.uint16))


def clear_palette():
    """Red, but not to be seen."""
    picture = flat(1, "P")
    picture.putpalette([0, 0, 0, 255, 0, 0])
    return picture


def corner():
    """Black with a white corner; longer than high, so that no turn leaves it as it is."""
    pixels = np.zeros((32, 64), np.uint8)
    pixels[:16, :32] = 255
    return pixels


def turned(orientation):
    """The corner as a camera held in this way stores it."""
    pixels = corner()
    turns = [pixels, pixels[:, ::-1], pixels[::-1, ::-1], pixels[::-1]]
    turns += [turn.T for turn in (pixels, pixels[:, ::-1], pixels[::-1, ::-1], pixels[::-1])]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return Image.fromarray(np.ascontiguousarray(turns[orientation - 1])), {"exif": exif, "quality": 95}


def png(width, height, depth, kind, rows):
    """A PNG put together by hand: of a size it does not hold, or of a depth that Pillow does not write."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def cut(path, picture, keep):
    picture.save(path)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])


def noise():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


PAINTED = {
    "grey16.png": (wide(128 * 257), {}, GREY),
    "grey16.tif": (wide(128 * 257), {}, GREY),
    "white16.png": (wide(65535), {}, WHITE),
    "cmyk.jpg": (flat((0, 255, 255, 0), "CMYK"), {"quality": 100}, RED),
    "cmyk.tif": (flat((0, 0, 0, 255), "CMYK"), {}, BLACK),
    "palette.png": (clear_palette(), {}, RED),
    "clear_palette.png": (clear_palette(), {"transparency": 1}, WHITE),
    "clear_palette.gif": (clear_palette(), {"transparency": 1}, WHITE),
    "hidden_color.png": (flat((255, 0, 0, 0), "RGBA"), {}, WHITE),
    "hidden_color.webp": (flat((255, 0, 0, 0), "RGBA"), {"lossless": True, "exact": True}, WHITE),
    "half_clear.png": (flat((0, 0, 0, 127), "RGBA"), {}, GREY),
    "grey_alpha.png": (flat((0, 127), "LA"), {}, GREY),
    "bit.png": (flat(1, "1"), {}, WHITE),
    "bit.tif": (flat(0, "1"), {}, BLACK),
    "color.bmp": (flat(RED), {}, RED),
    "color.webp": (flat(RED), {"lossless": True}, RED),
    "color.avif": (flat(GREY), {"quality": 100}, GREY),
    "progressive.jpg": (flat(GREY), {"progressive": True}, GREY),
    "broken_exif.jpg": (flat(GREY), {"exif": b"Exif\x00\x00MM\x00*\xff\xff\xff\xff"}, GREY),
    "png_inside.jpg": (flat(RED), {"format": "PNG"}, RED),
    "no_suffix": (flat(RED), {"format": "PNG"}, RED),
    "with space, and \N{SNOWMAN}.png": (flat(RED), {}, RED),
    "one_pixel.png": (flat(RED, size=(1, 1)), {}, RED),
}


@pytest.mark.parametrize("name", PAINTED)
def test_a_flat_picture_is_painted_in_its_color(painter, tmp_path, name):
    picture, options, color = PAINTED[name]
    picture.save(tmp_path / name, **options)
    assert abs(seen_by_painter(painter, tmp_path / name) - color).max() <= 2


def seen_by_painter(painter, path):
    """The target, int [H, W, 3], from the sheet it is on, once it has been painted."""
    folder = path.parent / "out"
    result = paint(painter, path, folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(
        rf"{folder}/000.json: target .*; mean squared error [01]\.\d+\n.*: 1 program and sheet.png(; without strokes: 1)?\n",
        result.stdout,
    )
    assert {file.name for file in folder.iterdir()} == {"000.json", "000.png", "sheet.png"}
    assert Program.load(folder / "000.json").canvas.width == SIDE
    return np.asarray(Image.open(folder / "sheet.png"))[SEEN_AT, SEEN_AT][:SIDE, :SIDE].astype(int)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_upright_however_the_camera_was_held(painter, tmp_path, orientation):
    picture, options = turned(orientation)
    picture.save(tmp_path / "a.jpg", **options)
    seen = seen_by_painter(painter, tmp_path / "a.jpg")
    assert seen[:4].min() == seen[12:].min() == 255  # it is longer than high
    assert seen[5:7, 1:7].min() > 240 and seen[5:7, 9:].max() < 15 and seen[9:11].max() < 15


@pytest.mark.parametrize(("size", "place"), [((1, 5000), np.s_[:, 7:8]), ((5000, 1), np.s_[7:8, :])])
def test_a_line_of_pixels_is_a_line(painter, tmp_path, size, place):
    flat(RED, size=size).save(tmp_path / "a.png")
    seen = seen_by_painter(painter, tmp_path / "a.png")
    assert (seen[place] == RED).all() and (seen == WHITE).all(axis=2).sum() == SIDE * (SIDE - 1)


def test_color_of_16_bits_is_that_of_8(painter, tmp_path):
    row = b"\x00" + struct.pack(">HHH", 65535, 128 * 257, 0) * 4
    (tmp_path / "a.png").write_bytes(png(4, 4, 16, 2, row * 4))
    assert abs(seen_by_painter(painter, tmp_path / "a.png") - (255, 128, 0)).max() <= 1


def test_forty_megapixels_are_painted(painter, tmp_path):
    flat(GREY, size=(8000, 5000)).save(tmp_path / "a.jpg")
    assert abs(seen_by_painter(painter, tmp_path / "a.jpg")[4:12] - GREY).max() <= 2


NO_PICTURE = "is no picture in a format read here: PNG, JPEG, BMP, GIF, TIFF, WEBP, AVIF, PPM"
BROKEN = r"cannot be read as a picture \(.*\); mend it or take it away"
FRAMES = {"save_all": True, "append_images": [flat(WHITE)]}
REFUSED = {
    "animated.gif": (lambda path: flat(BLACK).save(path, **FRAMES), "{} has 2 frames; give one picture a file"),
    "animated.png": (lambda path: flat(BLACK).save(path, **FRAMES), "{} has 2 frames; give one picture a file"),
    "animated.webp": (lambda path: flat(BLACK).save(path, **FRAMES), "{} has 2 frames; give one picture a file"),
    "pages.tif": (lambda path: flat(BLACK).save(path, **FRAMES), "{} has 2 frames; give one picture a file"),
    "cut.jpg": (lambda path: cut(path, noise(), 0.5), f"{{}} {BROKEN}"),
    "cut.png": (lambda path: cut(path, noise(), 0.5), f"{{}} {BROKEN}"),
    "cut.gif": (lambda path: cut(path, noise().quantize(), 0.5), f"{{}} {BROKEN}"),
    "header_only.png": (lambda path: cut(path, noise(), 0.01), f"{{}} ({NO_PICTURE}|{BROKEN})"),
    "empty.png": (lambda path: path.touch(), f"{{}} {NO_PICTURE}"),
    "words.jpg": (lambda path: path.write_text("not a picture"), f"{{}} {NO_PICTURE}"),
    "drawing.svg": (lambda path: path.write_text("<svg/>"), f"{{}} {NO_PICTURE}"),
    "page.pdf": (lambda path: flat(RED).save(path), f"{{}} {NO_PICTURE}"),
    "page.eps": (lambda path: flat(RED).save(path), f"{{}} {NO_PICTURE}"),
    "icon.ico": (lambda path: flat(RED).save(path), f"{{}} {NO_PICTURE}"),
    "bomb.png": (
        lambda path: path.write_bytes(png(30_000, 20_000, 1, 0, b"")),
        "{} has too many pixels; give at most 64 million",
    ),
    "large.png": (
        lambda path: path.write_bytes(png(10_000, 8000, 1, 0, b"")),
        "{} has 10000x8000 pixels; give at most 64 million",
    ),
    "nothing_inside.png": (lambda path: path.write_bytes(png(10, 10, 8, 0, b"")), f"{{}} {BROKEN}"),
    "float.tif": (lambda path: flat(0.5, "F").save(path), f"{{}} {BROKEN}"),
    "whole_numbers.tif": (lambda path: flat(70_000, "I").save(path), f"{{}} {BROKEN}"),
    "folder.png": (lambda path: path.mkdir(), "cannot read {}: Is a directory"),
    "missing.png": (lambda path: None, "cannot read {}: No such file or directory"),
    "loop.png": (lambda path: path.symlink_to(path), "cannot read {}: Too many levels of symbolic links"),
    "dangling.png": (lambda path: path.symlink_to("nowhere.png"), "cannot read {}: No such file or directory"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_painted_is_refused_by_name_and_nothing_is_left(painter, tmp_path, name):
    write, message = REFUSED[name]
    write(tmp_path / name)
    refused(painter, tmp_path, tmp_path / name, message.format(re.escape(str(tmp_path / name))))


def refused(painter, folder, path, message):
    before = sorted(folder.iterdir())
    result = paint(painter, path, folder / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(f"Error: {message}\n", result.stderr), result.stderr
    assert sorted(folder.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(painter, tmp_path):
    flat(RED).save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    refused(painter, tmp_path, tmp_path / "a.png", f"cannot read {tmp_path}/a.png: Permission denied")


def test_one_bad_file_of_three_stops_all_of_them_in_a_real_process(painter, tmp_path):
    flat(RED).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(png(30_000, 20_000, 1, 0, b""))
    code = "from spiral.cli import main; main()"
    targets = [f"--target={name}" for name in ("a.png", "b.png", "a.png")]
    done = subprocess.run(
        [sys.executable, "-c", code, "paint", str(painter), *targets],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: b.png has too many pixels; give at most 64 million\n"
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png"}
