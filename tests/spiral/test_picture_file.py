"""Image files as strangers have them: each shown as it looks on paper, or refused by name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spiral.errors import InputError
from spiral.picture_file import FORMATS, SUFFIXES, open_picture, read_picture


def flat(value, mode="L", size=(6, 6)):
    return Image.new(mode, size, value)


def wide(values):
    return Image.fromarray(np.array(values, np.uint16))


# What is read


def kinds_of_pixel():
    palette = flat((10, 20, 30), "RGB").convert("P", palette=Image.Palette.ADAPTIVE)
    clear_palette = flat(0, "P")
    clear_palette.putpalette([0, 0, 0, 255, 0, 0])
    grey16 = wide(np.full((6, 6), 128 * 257))
    big_endian = Image.frombytes("I;16B", (6, 6), np.full((6, 6), 128 * 257, ">u2").tobytes())
    clear = flat((255, 0, 0, 0), "RGBA")
    black, white, middle = (0, 0, 0), (255, 255, 255), (128, 128, 128)
    return {
        "bit.png": (flat(1, "1"), {}, white),
        "bit.tif": (flat(0, "1"), {}, black),
        "bit.pbm": (flat(0, "1"), {}, black),
        "grey.png": (flat(77), {}, (77, 77, 77)),
        "grey.pgm": (flat(77), {}, (77, 77, 77)),
        "grey16.png": (grey16, {}, middle),
        "grey16.tif": (grey16, {}, middle),
        "grey16.pgm": (grey16, {}, middle),
        "grey16_big_endian.tif": (big_endian, {}, middle),
        "white16.png": (wide(np.full((6, 6), 65535)), {}, white),
        "clear16.png": (grey16, {"transparency": 128 * 257}, white),
        "clear_not_16.png": (grey16, {"transparency": 5}, middle),
        "palette.png": (palette, {}, (10, 20, 30)),
        "palette.gif": (palette, {}, (10, 20, 30)),
        "clear.png": (clear, {}, white),
        "clear.webp": (clear, {"lossless": True}, white),
        "clear_key.png": (flat((255, 0, 0), "RGB"), {"transparency": (255, 0, 0)}, white),
        "half.png": (flat((0, 0, 0, 51), "RGBA"), {}, (204, 204, 204)),
        "clear_grey.png": (flat((0, 0), "LA"), {}, white),
        "clear_palette.png": (clear_palette, {"transparency": 0}, white),
        "clear_palette.gif": (clear_palette, {"transparency": 0}, white),
        "color.avif": (flat((90, 90, 90), "RGB"), {"quality": 100}, (90, 90, 90)),
        "color.ppm": (flat((10, 20, 30), "RGB"), {}, (10, 20, 30)),
        "color.bmp": (flat((10, 20, 30), "RGB"), {}, (10, 20, 30)),
        "lab.tif": (flat((128, 128, 128), "LAB"), {}, (119, 119, 119)),
        "cmyk.jpg": (flat((0, 0, 0, 255), "CMYK"), {}, black),
        "cmyk.tif": (flat((0, 255, 255, 0), "CMYK"), {}, (255, 0, 0)),
    }


@pytest.mark.parametrize("name", kinds_of_pixel())
def test_pictures_of_every_kind_of_pixel_look_as_they_do_on_paper(tmp_path, name):
    picture, options, expected = kinds_of_pixel()[name]
    picture.save(tmp_path / name, **options)
    pixels = read_picture(tmp_path / name)
    assert pixels.shape == (6, 6, 3) and pixels.dtype == np.uint8
    assert (pixels == expected).all(), pixels[0, 0]
    grey = read_picture(tmp_path / name, channels=1)
    assert grey.shape == (6, 6, 1)
    assert (grey[..., 0] == np.asarray(Image.fromarray(pixels).convert("L"))).all()


def test_grey_of_16_bits_is_scaled_evenly(tmp_path):
    levels = np.arange(0, 65536, 257).reshape(16, 16)
    wide(levels).save(tmp_path / "a.png")
    assert np.array_equal(read_picture(tmp_path / "a.png", channels=1)[..., 0], levels // 257)


def test_grey_of_12_bits_is_scaled_too(tmp_path):
    write_with_tag(tmp_path / "a.tif", 258, 12)
    assert (read_picture(tmp_path / "a.tif") == 255).all()


def test_color_of_16_bits_is_scaled_too(tmp_path):
    header = b"P6 2 1 65535\n"
    (tmp_path / "a.ppm").write_bytes(header + np.array([[65535, 0, 128 * 257], [0, 65535, 0]], ">u2").tobytes())
    assert read_picture(tmp_path / "a.ppm").tolist() == [[[255, 0, 128], [0, 255, 0]]]


def test_transparent_parts_show_the_background_and_no_hidden_color(tmp_path):
    half = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    half.putpixel((1, 0), (0, 0, 0, 51))
    half.save(tmp_path / "a.png")
    sand = (1.0, 0.8, 0.2)
    assert read_picture(tmp_path / "a.png", background=sand).tolist() == [[[255, 204, 51], [204, 163, 41]]]
    assert read_picture(tmp_path / "a.png", 1, background=(0.0, 0.0, 0.0)).tolist() == [[[0], [0]]]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a16.png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_a_camera_noted_is_applied(tmp_path, name, orientation):
    upright = np.zeros((32, 64), np.uint8)
    upright[:16, :32] = 255  # one corner, and longer than high: all eight differ
    turns = [upright, upright[:, ::-1], upright[::-1, ::-1], upright[::-1]]
    turns += [turn.T for turn in (upright, upright[:, ::-1], upright[::-1, ::-1], upright[::-1])]
    stored = turns[orientation - 1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = (
        wide(stored.astype(np.uint16) * 257) if name == "a16.png" else Image.fromarray(np.ascontiguousarray(stored))
    )
    picture.save(tmp_path / name, exif=exif)
    assert abs(read_picture(tmp_path / name, 1)[..., 0].astype(int) - upright).mean() < 2


def test_a_preview_beside_a_photograph_is_no_animation(tmp_path):
    path = tmp_path / "a.jpg"
    flat((9, 9, 9), "RGB").save(path, format="MPO", save_all=True, append_images=[flat((0, 0, 0), "RGB")])
    assert (read_picture(path) == 9).all()


def test_the_contents_count_and_not_the_suffix(tmp_path):
    flat(50).save(tmp_path / "a.jpg", format="PNG")
    assert (read_picture(tmp_path / "a.jpg") == 50).all()


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000)])
def test_tiny_and_odd_shapes_are_read(tmp_path, size):
    flat(60, size=size).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png", 1).shape == (size[1], size[0], 1)


def test_a_large_jpeg_is_decoded_no_larger_than_needed(tmp_path):
    rough = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(rough).resize((1600, 1200)).save(tmp_path / "a.jpg")
    whole = Image.fromarray(read_picture(tmp_path / "a.jpg"))
    assert whole.size == (1600, 1200)
    for at_least, size in ((1200, (1600, 1200)), (400, (800, 600)), (150, (200, 150)), (1, (200, 150))):
        reduced = read_picture(tmp_path / "a.jpg", at_least=at_least)
        assert reduced.shape == (size[1], size[0], 3)
        assert abs(reduced.astype(int) - np.asarray(whole.resize(size, Image.Resampling.BOX))).mean() < 4


def test_a_large_picture_within_the_limit_gives_no_warning(tmp_path, recwarn):
    write_gigantic(tmp_path / "a.png", 7999)
    assert open_picture(tmp_path / "a.png").size == (7999, 7999)
    with pytest.raises(InputError, match="has 10001x10001 pixels"):
        write_gigantic(tmp_path / "b.png", 10_001)
        read_picture(tmp_path / "b.png")
    assert not recwarn.list


# What is refused


def noise(size=64):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8))


def write_truncated(path):
    noise().save(path)
    path.write_bytes(path.read_bytes()[:-1000])


def write_animated(path):
    flat(0).save(path, save_all=True, append_images=[flat(255)])


def write_gigantic(path, side=8001):
    """A PNG whose header alone is large."""
    flat(0, "1", (side, side)).save(path)


def write_with_tag(path, tag, value):
    """16-bit grey, all bits set, with another small value of one tag than is true."""
    wide(np.full((6, 6), 65535)).save(path)
    data = bytearray(path.read_bytes())
    place = data.index(tag.to_bytes(2, "little") + (3).to_bytes(2, "little"))
    data[place + 8] = value  # behind the tag, its type and its count
    path.write_bytes(data)


def write_flipped(path):
    noise().save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


UNSCALED = r"cannot be read as a picture \(its black and white are unknown; give 8 or 16 bits for each value\); mend it"
OTHER = f"is no picture in a format read here: {', '.join(FORMATS)}$"
CUT = r"cannot be read as a picture \(.*\); mend it or take it away"


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.jpg", write_truncated, r"cannot be read as a picture \(.*truncated.*\); mend it or take it away"),
        ("a.png", write_truncated, CUT),
        ("a.gif", write_truncated, CUT),
        ("a.bmp", write_truncated, CUT),
        ("a.webp", write_truncated, CUT),
        ("a.ppm", write_truncated, CUT),
        ("a.png", write_flipped, CUT),
        ("a.png", Path.touch, OTHER),
        ("a.png", lambda path: path.write_text("words"), OTHER),
        ("a.png", lambda path: flat(0).save(path, format="TGA"), OTHER),
        ("a.eps", lambda path: flat(0).save(path), OTHER),
        ("a.gif", write_animated, "has 2 frames; give one picture a file"),
        ("a.png", write_animated, "has 2 frames; give one picture a file"),
        ("a.webp", write_animated, "has 2 frames; give one picture a file"),
        ("a.tif", write_animated, "has 2 frames; give one picture a file"),
        ("a.png", write_gigantic, "has 8001x8001 pixels; give at most 64 million"),
        ("a.png", lambda path: write_gigantic(path, 14_000), "has too many pixels; give at most 64 million"),
        ("a.tif", lambda path: flat(0.5, "F").save(path), UNSCALED),
        ("a.tif", lambda path: flat(70_000, "I").save(path), UNSCALED),
        ("a.tif", lambda path: flat(200, "I").save(path), UNSCALED),
        (
            "a.tif",
            lambda path: write_with_tag(path, 262, 0),
            r"cannot be read as a picture \(its white is 0, which is not read in 16 bits",
        ),
    ],
)
def test_an_unusable_picture_is_refused_by_name(tmp_path, name, write, message):
    path = tmp_path / name
    write(path)
    with pytest.raises(InputError, match=f"^{path} {message}"):
        read_picture(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=f"^cannot read {tmp_path / 'a.png'}: No such file or directory$"):
        read_picture(tmp_path / "a.png")
    with pytest.raises(InputError, match=f"^cannot read {tmp_path}: Is a directory$"):
        read_picture(tmp_path)


def test_there_is_a_suffix_of_each_format():
    Image.init()
    assert {Image.EXTENSION[suffix] for suffix in SUFFIXES} == set(FORMATS)
