import subprocess
import sys

import numpy as np
import pytest
import torch

from spiral import digit_classifier
from spiral.datasets import load_pictures
from spiral.digit_classifier import DigitClassifier
from spiral.errors import InputError
from spiral.metrics import METRICS, Reference, class_shares, collapse, entropy, frechet_distance, measure


def load(split, side=32, channels=1):
    return load_pictures("digits", split, width=side, height=side, channels=channels)


@pytest.fixture(scope="module")
def digits():
    return {split: load(split) for split in ("train", "test")}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "spiral-painter"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """The whole recipe, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield DigitClassifier.load_or_train()


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(digit_classifier, "EPOCHS", 1)


def weights(classifier):
    return np.concatenate([weight.flatten() for weight in classifier._network.state_dict().values()])


# The classifier


def test_it_names_the_held_out_digits(classifier, digits):
    features, probabilities = classifier.features(digits["test"].images)
    assert features.shape == (1000, 64)
    assert probabilities.shape == (1000, 10)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    right = (probabilities.argmax(axis=1) == digits["test"].labels).mean()
    assert classifier.test_accuracy == right
    assert right >= 0.975


def test_a_blank_picture_is_no_digit(classifier):
    for level in (0, 128, 255):
        blank = np.full((10, 32, 32, 1), level, np.uint8)
        assert classifier.accuracy(blank, np.arange(10)) == 0


def test_size_and_color_of_the_canvas_matter_little(classifier, digits):
    expected = classifier.features(digits["test"].images)[1].argmax(axis=1)
    colored = np.repeat(digits["test"].images, 3, axis=-1)
    assert np.array_equal(classifier.features(colored)[1].argmax(axis=1), expected)
    assert (classifier.features(load("test", side=64).images)[1].argmax(axis=1) == expected).mean() > 0.99


def test_a_picture_is_judged_alone_whatever_is_in_its_batch(classifier, digits):
    images = digits["test"].images[:300]
    together = classifier.features(images)
    for i in (0, 255, 256, 299):
        for alone, all_ in zip(classifier.features(images[i : i + 1]), together, strict=True):
            assert alone[0] == pytest.approx(all_[i], abs=1e-4)


@pytest.mark.parametrize("shape", [(32, 32, 1), (2, 32, 32), (0, 32, 32, 1), (2, 32, 32, 4)])
def test_other_arrays_are_refused(classifier, shape):
    with pytest.raises(InputError, match=r"pictures are uint8 of shape .*; give uint8 \[N, H, W, C\], C 1 or 3"):
        classifier.features(np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match="pictures are float64"):
        classifier.features(np.zeros((2, 32, 32, 1)))


def kept_in(cache):
    (path,) = cache.iterdir()
    return path


def test_two_trainings_give_the_same_classifier(quick, cache):
    once = DigitClassifier.load_or_train()
    kept_in(cache).unlink()
    torch.rand(5)
    again = DigitClassifier.load_or_train()
    assert np.array_equal(weights(once), weights(again))
    assert 0.5 < once.test_accuracy == again.test_accuracy


def test_the_trained_classifier_is_kept_and_torch_left_as_it_was(quick, cache, digits, three_threads):
    told = []
    state = torch.get_rng_state()
    trained = DigitClassifier.load_or_train(lambda done, total: told.append((done, total)))
    kept = DigitClassifier.load_or_train(lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]
    assert torch.get_num_threads() == 3
    assert torch.equal(torch.get_rng_state(), state)
    assert kept.test_accuracy == trained.test_accuracy
    images = digits["test"].images[:20]
    for before, after in zip(trained.features(images), kept.features(images), strict=True):
        assert np.array_equal(before, after)


def test_a_damaged_kept_classifier_is_replaced(quick, cache):
    trained = DigitClassifier.load_or_train()
    kept_in(cache).write_bytes(b"")
    assert np.array_equal(weights(DigitClassifier.load_or_train()), weights(trained))
    assert np.array_equal(weights(DigitClassifier._load(kept_in(cache))), weights(trained))


def with_a_head_of_five_classes(path):
    arrays = dict(np.load(path))
    arrays["head.bias"] = arrays["head.bias"][:5]
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"words"),
        lambda path: np.save(path.open("wb"), np.zeros(3)),
        lambda path: np.savez(path, test_accuracy=1.0),
        lambda path: np.savez(path, accuracy=1.0),
        with_a_head_of_five_classes,
    ],
)
def test_a_damaged_kept_classifier_is_not_used(classifier, tmp_path, damage):
    path = tmp_path / "kept.npz"
    assert DigitClassifier._load(path) is None
    classifier._save(path)
    assert np.array_equal(weights(DigitClassifier._load(path)), weights(classifier))
    damage(path)
    assert DigitClassifier._load(path) is None


def test_a_cache_folder_that_cannot_be_written_does_not_matter(quick, cache):
    cache.write_text("a file where the folder would be")
    assert DigitClassifier.load_or_train().test_accuracy > 0.5


# What is measured with it


def test_the_metrics_import_no_torch():
    code = "import sys, spiral.metrics; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def degraded(images, share, rng):
    """Noise instead of the picture in a share of its pixels."""
    noise = rng.integers(0, 256, images.shape, dtype=np.uint8)
    return np.where(rng.random(images.shape) < share, noise, images)


def test_the_frechet_distance_grows_with_noise_and_with_missing_classes(classifier, digits):
    held_out = classifier.features(digits["test"].images)[0]
    train = digits["train"]
    rng = np.random.default_rng(0)

    def distance(images):
        return frechet_distance(classifier.features(images)[0], held_out)

    noisy = [distance(degraded(train.images[::10], share, rng)) for share in (0, 0.03, 0.3, 1)]
    assert noisy == sorted(noisy)
    assert noisy[1] > 1.5 * noisy[0]
    # 400 pictures each
    poorer = [distance(train.images[train.labels < classes][::classes]) for classes in (10, 8, 4, 1)]
    assert poorer == sorted(poorer)
    assert poorer[1] > 1.5 * poorer[0]


@pytest.fixture(scope="module")
def reference(classifier, digits):
    noise = np.random.default_rng(0).integers(0, 256, (100, 32, 32, 1), dtype=np.uint8)
    return Reference.of(classifier, digits["train"].images, digits["test"].images, noise)


def test_real_pictures_are_the_floor(reference, classifier, digits):
    assert 0 < reference.real_floor < 0.03 * reference.random_painter
    measured = measure(digits["train"].images[::4], classifier, reference)
    assert measured["frechet_distance"] < 1.5 * reference.real_floor
    assert measured["class_entropy"] > 2.29
    assert measured["smallest_class_share"] > 0.09


def test_a_blank_canvas_is_one_class_without_ink(reference, classifier):
    measured = measure(np.full((20, 32, 32, 1), 255, np.uint8), classifier, reference)
    assert measured["ink"] == measured["class_entropy"] == measured["smallest_class_share"] == 0
    assert measured["frechet_distance"] > 50 * reference.real_floor


def test_every_measured_number_is_what_its_name_says(reference, classifier, digits):
    images = digits["test"].images[::7]
    measured = measure(images, classifier, reference)
    features, probabilities = classifier.features(images)
    distance = frechet_distance(features, reference.features)
    confidence = [max(row) for row in probabilities.tolist()]
    assert measured == pytest.approx(
        {
            "frechet_distance": distance,
            "frechet_ratio": distance / reference.random_painter,
            "real_floor": reference.real_floor,
            "random_painter": reference.random_painter,
            "variety": np.trace(np.cov(features.T, ddof=0)) / np.trace(np.cov(reference.features.T, ddof=0)),
            "class_entropy": entropy(class_shares(probabilities)),
            "smallest_class_share": min(class_shares(probabilities)),
            "confidence": sum(confidence) / len(images),
            "confident_share": sum(value > 0.9 for value in confidence) / len(images),
            "ink": 1 - images.mean() / 255,
        }
    )
    assert measured.keys() <= METRICS.keys()
    assert all(type(value) is float for value in measured.values())


def test_metrics_are_explained():
    for name, metric in METRICS.items():
        assert metric.meaning, name
        assert metric.better in ("lower", "higher", ""), name


def test_a_painter_of_one_digit_has_collapsed(reference, classifier, digits):
    test = digits["test"]
    for digit in range(10):
        measured = measure(test.images[test.labels == digit], classifier, reference)
        assert collapse(measured, reference), digit
    assert collapse(measure(test.images[::7], classifier, reference), reference) is None


def test_a_collapse_is_said_with_its_figure(reference):
    fine = {"variety": 0.7, "class_entropy": 2.2}
    assert collapse(fine | {"variety": 0.04}, reference) == "its paintings have 4% of the real pictures' variety"
    assert collapse(fine | {"class_entropy": 0.5}, reference) == "class entropy 0.50 nats, of real pictures 2.30"
