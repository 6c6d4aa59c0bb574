"""Parts of pictures in the place of whole ones."""

import numpy as np
import pytest
from PIL import Image

from spiral.datasets import load_pictures
from spiral.datasets.patches import FULL, OF_EACH, SIDES, patches
from spiral.errors import InputError

WHITE, BLUE = (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)


@pytest.fixture
def ramp():
    """A picture whose every pixel differs, by two channels, from all others."""
    rows, columns = np.indices((80, 160))
    return Image.fromarray(np.stack([rows, columns, 0 * rows], axis=2).astype(np.uint8))


def shares_of(patch, paper):
    """What is left of the difference to the paper, by the third channel, which is 0 all over the ramp."""
    return 1 - np.asarray(patch)[..., 2] / (255 * paper[2])


@pytest.mark.parametrize("paper", [WHITE, BLUE])
def test_patches_are_parts_of_the_picture_each_second_mirrored_and_paler_towards_the_paper(ramp, paper):
    found = [patch for patch, _ in patches(20 * [(ramp, None)], 3, paper)]
    sides, fulls, corners = [], [], []
    for number, patch in enumerate(found):
        share = shares_of(patch, paper)
        assert share.max() - share.min() < 1e-9
        full = share.max()
        ground = 255 * (1 - full) * np.array(paper)
        original = np.rint((np.asarray(patch) - ground) / full)[..., :2].astype(int)
        steps = np.diff(original[..., 1], axis=1)
        assert (abs(steps - (-1 if number % 2 else 1)) <= 2).all()  # of bytes that were paler
        assert patch.width == patch.height
        sides.append(patch.width)
        fulls.append(full)
        corners.append((original[0, 0, 0], original[0].min(axis=0)[1]))
    assert min(sides) >= 80 * SIDES[0] and max(sides) <= 80 * SIDES[1] and np.median(sides) == pytest.approx(20, abs=4)
    assert FULL[0] - 0.01 < min(fulls) < 0.45 and 0.9 < max(fulls) <= FULL[1]
    assert len(set(corners)) > 0.9 * len(corners)
    assert max(x for _, x in corners) > 130 and max(y for y, _ in corners) > 55


def test_they_are_the_same_at_every_call_and_have_the_pictures_labels(ramp):
    first, again = (list(patches([(ramp, 3), (ramp, 5)], 1, WHITE)) for _ in range(2))
    assert [label for _, label in first] == OF_EACH * [3] + OF_EACH * [5]
    assert [patch.tobytes() for patch, _ in first] == [patch.tobytes() for patch, _ in again]
    assert len({patch.tobytes() for patch, _ in first}) == 2 * OF_EACH


def test_any_picture_has_patches_the_smallest_too(ramp):
    (patch, *_), (clear, *_) = (
        [one for one, _ in patches([(picture, None)], 3, BLUE)]
        for picture in (Image.new("L", (1, 3)), Image.new("RGBA", (9, 9), (1, 1, 1, 0)))
    )
    assert patch.size == (1, 1)
    assert np.array_equal(np.unique(np.asarray(clear).reshape(-1, 3), axis=0), [(0, 0, 255)])


def test_behind_the_name_of_data_they_are_in_the_place_of_its_pictures():
    size = {"width": 16, "height": 12, "channels": 1}
    whole, parts = (load_pictures(data, "test", **size) for data in ("digits", "digits:patches"))
    assert len(parts) == OF_EACH * len(whole) and parts.images.shape[1:] == (12, 16, 1)
    assert np.array_equal(parts.labels, np.repeat(whole.labels, OF_EACH))
    assert parts.name == "digits:patches"
    assert not np.array_equal(
        parts.images[: 8 * 400], load_pictures("digits:patches", "train", **size).images[: 8 * 400]
    )


def test_inverted_too_in_either_order_and_then_they_are_paler_towards_the_background():
    size = {"width": 8, "height": 8, "channels": 1}
    one, other = (load_pictures(f"digits:{ends}", "test", **size) for ends in ("patches:invert", "invert:patches"))
    assert np.array_equal(one.images, other.images)
    # Inverted digits are white ink on black: where the ink is the patches are white, where the black is, at most grey.
    assert one.images.max() == 255 and 0 < np.median(one.images) < 255 * (1 - FULL[0])
    with pytest.raises(InputError, match="unknown dataset 'digits:patch'.*see: spiral list datasets"):
        load_pictures("digits:patch", "test", **size)
