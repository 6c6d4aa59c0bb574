import numpy as np
import pytest
from PIL import Image

from spiral.errors import InputError
from spiral.pictures import GAP_LEVEL, contact_sheet, pair_sheet, save_png


@pytest.mark.parametrize("shape", [(48, 64, 3), (32, 32, 1)])
def test_a_png_holds_the_pixels(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
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


def test_each_picture_is_beside_its_painting_large_enough_to_be_seen():
    pictures = np.full((3, 32, 64, 1), 10, np.uint8)
    paintings = np.array([20, 30, 40], np.uint8)[:, None, None, None] + np.zeros_like(pictures)
    sheet = pair_sheet(pictures, paintings)[..., 0]
    assert sheet.shape == (2 + 2 * 66, 2 + 4 * 130)  # every pixel is 2 x 2
    corners = sheet[2::66, 2::130], sheet[65::66, 129::130]
    for corner in corners:
        assert corner.tolist() == [[10, 20, 10, 30], [10, 40, GAP_LEVEL, GAP_LEVEL]]


def test_pictures_of_different_shapes_are_in_the_middle_of_tiles_of_one_shape():
    wide, high = np.zeros((300, 900, 3), np.uint8), np.zeros((900, 300, 3), np.uint8)
    sheet = pair_sheet([wide, high], [wide, high])
    assert sheet.shape == (2 + 2 * 342, 2 + 2 * 342, 3)
    black = (sheet == 0).all(axis=2)
    assert black.sum() == 4 * 340 * 113
    assert black[172, 2:342].all() and black[346:684, 172].all()


def test_fifty_pairs_at_most_are_shown():
    many = np.zeros((60, 32, 32, 1), np.uint8)
    assert pair_sheet(many, many).shape == pair_sheet(many[:50], many[:50]).shape == (2 + 10 * 66, 2 + 10 * 66, 1)
