"""What every registered dataset keeps to; a new one is picked up by its registration."""

import numpy as np
import pytest
from idx_files import MNIST_FILES
from PIL import Image

from spiral.datasets import DATASETS, load_pictures
from spiral.datasets.split import SPLITS


def check_dataset(name):
    train, test = (load_pictures(name, split, width=24, height=16, channels=3) for split in SPLITS)
    for pictures in (train, test):
        assert pictures.name == name
        assert pictures.images.dtype == np.uint8
        assert pictures.images.shape == (len(pictures), 16, 24, 3)
        assert len(pictures) > 0
        if pictures.labels is not None:
            assert pictures.labels.dtype == np.int64
            assert pictures.labels.shape == (len(pictures),)
    assert (train.labels is None) == (test.labels is None)
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}, "held out"
    again = load_pictures(name, "train", width=24, height=16, channels=3)
    assert np.array_equal(again.images, train.images), "the order is fixed"
    assert load_pictures(name, "test", width=16, height=16, channels=1).images.shape == (len(test), 16, 16, 1)


@pytest.fixture
def nothing_to_fetch(tmp_path, monkeypatch):
    """What datasets would fetch lies in the cache folder already, if less of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "spiral-painter" / "mnist"
    folder.mkdir(parents=True)
    for name, data in MNIST_FILES.items():
        (folder / name).write_bytes(data)


@pytest.mark.usefixtures("nothing_to_fetch")
@pytest.mark.parametrize("name", DATASETS.names())
def test_a_registered_dataset_keeps_the_contract(name):
    check_dataset(name)


def noise(seed, count):
    rng = np.random.default_rng(seed)
    return [(Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)), None) for _ in range(count)]


def sound(split):
    return noise(SPLITS.index(split), 3)


def leaks_training_pictures(split):
    return noise(0, 3)


def forgets_some_labels(split):
    return [(picture, 0 if split == "train" else None) for picture, _ in sound(split)]


def shuffles(split):
    return noise(None, 3)


@pytest.mark.parametrize("wrong", [leaks_training_pictures, forgets_some_labels, shuffles])
def test_a_wrong_dataset_is_rejected(monkeypatch, wrong):
    DATASETS.names()
    monkeypatch.setitem(DATASETS._entries, "made up", sound)
    check_dataset("made up")
    monkeypatch.setitem(DATASETS._entries, "made up", wrong)
    with pytest.raises(AssertionError):
        check_dataset("made up")
