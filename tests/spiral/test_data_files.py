"""Datasets in the formats they were published in: IDX, Omniglot, Quick, Draw!."""

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from idx_files import idx_bytes
from PIL import Image

from spiral.datasets import load_pictures
from spiral.datasets.idx import read_idx
from spiral.errors import InputError

RNG = np.random.default_rng(0)


def load(data, split="train", *, side=28):
    return load_pictures(str(data), split, width=side, height=side, channels=1)


# IDX


def write_idx(folder, start, count, form="{}-idx{}-ubyte", pack=bytes):
    """Files of noise and, as labels, 0, 1, ...; what was written is given back."""
    scans = RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    for what, array in (("images", scans), ("labels", np.arange(count, dtype=np.uint8))):
        path = folder / form.format(f"{start}-{what}", array.ndim)
        path.write_bytes(pack(idx_bytes(array)))
    return scans


FORMS = [
    ("{}-idx{}-ubyte", bytes),
    ("{}-idx{}-ubyte.gz", gzip.compress),
    ("{}.idx{}-ubyte", bytes),
    ("{}-idx{}-ubyte.gz", bytes),
]


@pytest.mark.parametrize(("form", "pack"), FORMS)
def test_an_idx_file_is_black_on_white_with_the_labels_beside(tmp_path, form, pack):
    scans = write_idx(tmp_path, "train", 20, form, pack)
    data = tmp_path / form.format("train-images", 3)
    train, test = load(data), load(data, "test")
    assert (len(train), len(test)) == (18, 2)
    for pictures in (train, test):
        assert np.array_equal(pictures.images[..., 0], 255 - scans[pictures.labels])
    assert sorted([*train.labels, *test.labels]) == list(range(20))
    assert np.array_equal(load(f"{data}:invert").images, 255 - train.images)


def test_an_idx_file_without_labels_beside_has_none(tmp_path):
    write_idx(tmp_path, "train", 5)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    assert load(tmp_path / "train-images-idx3-ubyte").labels is None


@pytest.mark.parametrize("name", ["t10k", "test"])
def test_a_folder_of_idx_files_has_the_published_split(tmp_path, name):
    train, test = write_idx(tmp_path, "train", 7), write_idx(tmp_path, name, 3)
    (tmp_path / "readme.txt").write_text("MNIST")
    (tmp_path / "train-images-idx3-ubyte.gz").write_text("what it was unpacked from is not looked at")
    for split, scans in (("train", train), ("test", test)):
        pictures = load(tmp_path, split)
        assert np.array_equal(pictures.images[..., 0], 255 - scans)
        assert pictures.labels.tolist() == list(range(len(scans)))


def test_of_several_idx_files_one_must_be_named(tmp_path):
    for name in ("a-train", "b-train", "b-test"):
        write_idx(tmp_path, name, 2)
    with pytest.raises(
        InputError, match=f"^{tmp_path} has several files of pictures; give one of them: a-train-images-"
    ):
        load(tmp_path)
    assert len(load(tmp_path / "b-train-images-idx3-ubyte")) == 1


def test_emnist_is_turned_upright(tmp_path):
    scans = write_idx(tmp_path, "emnist-letters-train", 4)
    pictures = load(tmp_path)
    assert np.array_equal(pictures.images[..., 0], 255 - scans[pictures.labels].transpose(0, 2, 1))


WHOLE = idx_bytes(np.zeros((2, 3, 4), np.uint8))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", r"is no IDX file of bytes with 3 dimensions: nothing instead of 00000803"),
        (idx_bytes(np.zeros(5, np.uint8)), "is no IDX file of bytes with 3 dimensions: 00000801 instead of 00000803"),
        (WHOLE[:2] + b"\x0d" + WHOLE[3:], "is no IDX file .*: 00000d03 instead of"),
        (WHOLE[:10], "is no IDX file"),
        (WHOLE[:-1], r"is cut short: its header says 24 bytes, of shape \[2, 3, 4\]; fetch it again"),
        (WHOLE + b"\0", "goes on behind its end: its header says 24 bytes"),
        (gzip.compress(WHOLE)[:-12], "is a broken .gz file"),
        (gzip.compress(WHOLE)[:-8] + bytes(8), r"is a broken .gz file \(CRC check failed"),
        (
            WHOLE[:4] + b"\xff" * 12,
            r"has shape \[4294967295, 4294967295, 4294967295\] by its header; give 1 byte to 1 GiB",
        ),
        (idx_bytes(np.zeros((0, 3, 4), np.uint8)), r"has shape \[0, 3, 4\] by its header"),
    ],
)
def test_a_damaged_idx_file_is_refused(tmp_path, contents, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(contents)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_labels_must_be_as_many_as_pictures(tmp_path):
    write_idx(tmp_path, "train", 5)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx_bytes(np.zeros(4, np.uint8)))
    with pytest.raises(InputError, match=f"^{labels} has 4 labels for the 5 pictures of {tmp_path}"):
        load(tmp_path)
    labels.write_bytes(b"words")
    with pytest.raises(InputError, match=f"^{labels} is no IDX file of bytes with 1 dimensions"):
        load(tmp_path)


def test_an_idx_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=f"^cannot read {tmp_path / 'a'}: No such file or directory"):
        read_idx(tmp_path / "a", 3)


# Omniglot


def png(value):
    return Image.new("1", (105, 105), value)


def omniglot_names(part, alphabets, characters=2, drawers=3):
    prefix = f"{part}/" if part else ""
    return [
        f"{prefix}{alphabet}/character{character:02}/{100 + character:04}_{drawer:02}.png"
        for alphabet in alphabets
        for character in range(1, characters + 1)
        for drawer in range(1, drawers + 1)
    ]


def write_drawings(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        png(1).save(folder / name)


def write_zip(path, names, comment="__MACOSX/images_background/Greek/character01/0101_01.png"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(comment, "no picture")
        for name in names:
            with archive.open(name, "w") as file:
                png(1).save(file, "PNG")


ALPHABETS = ["Greek", "Japanese_(katakana)", "Latin", "Tifinagh"]


@pytest.fixture(params=["folder", "zip", "parent"])
def omniglot(request, tmp_path):
    """Four alphabets of two characters by three people, in the three ways they may lie."""
    names = omniglot_names("images_background", ALPHABETS)
    if request.param == "zip":
        write_zip(tmp_path / "images_background.zip", names)
        return tmp_path / "images_background.zip"
    write_drawings(tmp_path, names)
    return tmp_path if request.param == "parent" else tmp_path / "images_background"


def test_whole_alphabets_are_held_out_and_characters_are_labels(omniglot):
    train, test = load(omniglot), load(omniglot, "test")
    assert (len(train), len(test)) == (18, 6)
    assert (train.images == 255).all()
    labels = np.concatenate([train.labels, test.labels])
    assert np.bincount(labels).tolist() == [3] * 8
    assert len(set(test.labels // 2)) == 1 and set(test.labels // 2).isdisjoint(train.labels // 2)


def test_omniglot_is_black_ink_on_white(tmp_path):
    write_drawings(tmp_path, omniglot_names("", ["A", "B"]))
    drawing = png(1)
    drawing.paste(0, (50, 50, 55, 55))
    for path in tmp_path.rglob("*.png"):
        drawing.save(path)
    assert np.array_equal(load(tmp_path, side=105).images[0, ..., 0], np.asarray(drawing.convert("L")))


def test_both_parts_of_omniglot_have_the_published_split(tmp_path):
    names = omniglot_names("images_background", ALPHABETS[:2]) + omniglot_names("images_evaluation", ALPHABETS[2:])
    write_zip(tmp_path / "a.zip", names)
    assert sorted(set(load(tmp_path / "a.zip", "test").labels)) == [4, 5, 6, 7]
    assert sorted(set(load(tmp_path / "a.zip").labels)) == [0, 1, 2, 3]


def test_of_a_single_alphabet_drawings_are_held_out(tmp_path):
    write_drawings(tmp_path, omniglot_names("", ["Greek"], drawers=10))
    assert (len(load(tmp_path)), len(load(tmp_path, "test"))) == (18, 2)


def test_a_zip_without_omniglot_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    write_zip(path, ["photo.png", "Greek/letter01/0001_01.png"])
    with pytest.raises(InputError, match=f"^{path} has no pictures of Omniglot: ALPHABET/character01/0001_01.png; or"):
        load(path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match=f"^{path} is no .zip file that can be read"):
        load(path)


def test_a_damaged_drawing_is_refused_by_name(tmp_path):
    names = omniglot_names("images_background", ["A", "B"])
    write_drawings(tmp_path, names)
    for name in names:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:60])
    with pytest.raises(InputError, match=rf"^{tmp_path}/images_background/./character01/0101_01.png cannot be read"):
        load(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.write(tmp_path / name, name)
    with pytest.raises(
        InputError, match=rf"^{tmp_path}/a.zip/images_background/./character01/0101_01.png cannot be read"
    ):
        load(tmp_path / "a.zip")


# Quick, Draw!


def test_bitmaps_are_turned_to_black_on_white(tmp_path):
    bitmaps = np.arange(20, dtype=np.uint8).repeat(784).reshape(20, 784)
    bitmaps[:, 0] = 255
    np.save(tmp_path / "cat.npy", bitmaps)
    train, test = load(tmp_path / "cat.npy"), load(tmp_path / "cat.npy", "test")
    assert (len(train), len(test)) == (18, 2)
    assert train.labels is None
    assert (train.images[:, 0, 0] == 0).all()
    assert sorted(255 - np.concatenate([train.images, test.images])[:, 1, 1, 0]) == list(range(20))


def test_a_folder_of_bitmaps_has_a_label_a_file(tmp_path):
    for value, name in enumerate(("apple", "cat", "zebra")):
        np.save(tmp_path / f"full_numpy_bitmap_{name}.npy", np.full((5, 784), value, np.uint8))
    (tmp_path / ".hidden").touch()
    pictures = load(tmp_path)
    assert pictures.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert np.array_equal(255 - pictures.images[:, 0, 0, 0], pictures.labels)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((3, 784)),
            r"is float64 of shape \(3, 784\); Quick, Draw! bitmaps are uint8 \[N, 784\]; write other pic",
        ),
        (np.zeros((3, 28, 28), np.uint8), r"is uint8 of shape \(3, 28, 28\); Quick"),
        (np.zeros((3, 784, 1), np.uint8), r"is uint8 of shape \(3, 784, 1\); Quick"),
        (np.zeros((3, 783), np.uint8), r"is uint8 of shape \(3, 783\); Quick"),
        (np.zeros((1, 784), np.uint8), "a dataset of 1 picture cannot be split"),
        (np.array([None, {}]), "is no .npy file of a plain array"),
    ],
)
def test_unsuitable_bitmaps_are_refused(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "a.npy")


def test_a_file_that_is_no_array_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((9, 784), np.uint8))
    whole = path.read_bytes()
    np.savez(tmp_path / "a.npz", whole)
    for contents in (b"", b"words", whole[:-1], whole[:40], (tmp_path / "a.npz").read_bytes()):
        path.write_bytes(contents)
        with pytest.raises(InputError, match=f"^{path} is no .npy file of a plain array"):
            load(path)


def write_strokes(path, drawings):
    lines = [json.dumps({"word": path.stem, "drawing": drawing}) for drawing in drawings]
    path.write_text("\n".join(lines) + "\n")


CORNER = [[[0, 40], [0, 0]], [[0, 0], [0, 80]]]  # twice as high as wide, in the corner where the published ones lie


def test_strokes_are_drawn_black_on_white_in_the_middle(tmp_path):
    write_strokes(tmp_path / "a.ndjson", [CORNER] * 20)
    train, test = load(tmp_path / "a.ndjson", side=256), load(tmp_path / "a.ndjson", "test", side=256)
    assert (len(train), len(test)) == (18, 2)
    assert train.labels is None
    ink = train.images[0, ..., 0] < 128
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    half_pen, margin = 4, 16
    assert rows[[0, -1]].tolist() == pytest.approx([margin - half_pen, 255 - margin + half_pen], abs=1)
    assert columns[[0, -1]].tolist() == pytest.approx([128 - 56 - half_pen, 127 + 56 + half_pen], abs=1)
    assert train.images[0, 128, 100, 0] == 255


def test_a_single_dot_and_an_empty_drawing_are_pictures_too(tmp_path):
    write_strokes(tmp_path / "a.ndjson", [[[[7], [7]]], []] * 2)
    pictures = [*load(tmp_path / "a.ndjson").images, *load(tmp_path / "a.ndjson", "test").images]
    ink = sorted((picture < 255).sum() for picture in pictures)
    assert ink[:2] == [0, 0]
    assert 0 < ink[2] == ink[3] < 20


def test_a_folder_of_strokes_has_a_label_a_file(tmp_path):
    write_strokes(tmp_path / "cat.ndjson", [CORNER] * 3)
    write_strokes(tmp_path / "apple.ndjson", [[]] * 3)
    pictures = load(tmp_path)
    assert pictures.labels.tolist() == [0, 0, 1, 1]
    assert [(picture < 255).any() for picture in pictures.images] == [False, False, True, True]


def test_of_very_many_strokes_the_first_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("spiral.datasets.quickdraw.MOST_DRAWINGS", 4)
    write_strokes(tmp_path / "a.ndjson", [CORNER] * 4 + [[]] * 6)
    assert (len(load(tmp_path / "a.ndjson")), len(load(tmp_path / "a.ndjson", "test"))) == (3, 1)
    assert (load(tmp_path / "a.ndjson").images.min(axis=(1, 2, 3)) < 255).all()


def test_a_wrong_drawing_is_refused_by_name(tmp_path):
    path = tmp_path / "a.ndjson"
    write_strokes(path, [CORNER, [[[0, 1], [0]]]])
    with pytest.raises(InputError, match=f"^{path}: drawing 1: stroke 0 must have as many x as y"):
        load(path)
    Path(path).write_text("")
    with pytest.raises(InputError, match="a dataset of 0 picture cannot be split"):
        load(path)


def test_a_file_of_strokes_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "a.ndjson"
    path.symlink_to("/proc/self/mem")  # which is there and open to us, but has nothing at its beginning
    with pytest.raises(InputError, match=f"^cannot read {path}: Input/output error$"):
        load(path)


def test_a_folder_of_other_things_too_is_a_folder_of_images(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((5, 784), np.uint8))
    for name in "bc":
        Image.new("L", (4, 4), 9).save(tmp_path / f"{name}.png")
    assert (load(tmp_path).images == 9).all()
