"""What episodes are asked to paint: given pictures, classes, both."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from spiral.config import EnvConfig
from spiral.datasets import load_pictures
from spiral.envs.paint import PaintEnv
from spiral.envs.tasks import Tasks
from spiral.envs.vector import PaintVectorEnv
from spiral.errors import InputError

SIZE = {"width": 16, "height": 24}
SMALL = {**SIZE, "grid": 4, "episode_length": 2}
TARGETS = np.random.default_rng(0).integers(0, 256, (6, 24, 16, 1), np.uint8)
LABELS = [0, 1, 2, 0, 1, 2]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The same pictures and labels in a file, where every tenth picture is held out."""
    path = tmp_path_factory.mktemp("data") / "pictures.npz"
    np.savez(path, images=np.tile(TARGETS, (5, 1, 1, 1)), labels=LABELS * 5)
    return str(path)


def task(seed, count=40, **arguments):
    """The observed parts of the tasks of so many episodes."""
    observation, _ = PaintVectorEnv(count, **SMALL, **arguments).reset(seed=seed)
    return {name: observation[name] for name in ("target", "label") if name in observation}


def own_label(target):
    return next(label for label, known in zip(LABELS, TARGETS, strict=True) if np.array_equal(known, target))


def test_without_targets_and_classes_nothing_is_asked():
    assert task(0) == {}
    assert Tasks(EnvConfig(**SIZE)).config == EnvConfig(**SIZE)


def test_targets_can_be_an_array():
    config = PaintEnv(**SMALL, targets=TARGETS).config
    assert config.target and config.classes == 0
    drawn = task(0, targets=TARGETS)
    assert list(drawn) == ["target"]
    assert {target.tobytes() for target in drawn["target"]} == {target.tobytes() for target in TARGETS}


def test_targets_can_be_a_dataset_of_which_the_training_pictures_are_taken(data):
    train = load_pictures(data, "train", **SIZE, channels=1)
    config = PaintEnv(**SMALL, targets=data).config
    assert config.target and config.classes == 0
    drawn = task(0, 300, targets=data)
    assert list(drawn) == ["target"]
    assert {target.tobytes() for target in drawn["target"]} == {image.tobytes() for image in train.images}


def test_a_datasets_labels_come_with_its_pictures_where_there_are_classes(data):
    drawn = task(1, targets=data, classes=3)
    assert drawn["label"].tolist() == [own_label(target) for target in drawn["target"]]
    assert set(drawn["label"].tolist()) == {0, 1, 2}


def test_the_labels_given_count_not_the_datasets(data):
    count = len(load_pictures(data, "train", **SIZE, channels=1))
    assert PaintEnv(**SMALL, targets=data, labels=[7] * count).config.classes == 8
    for classes in (0, 9):
        assert set(task(1, targets=data, labels=[7] * count, classes=classes)["label"].tolist()) == {7}


def test_a_number_of_classes_alone_draws_each_of_them_alike():
    assert PaintEnv(**SMALL, classes=5).observation_space["label"].n == 5
    counts = np.bincount(task(0, 5000, classes=5)["label"])
    assert len(counts) == 5
    assert ((counts - 1000) ** 2 / 1000).sum() < 18.5  # 0.999 quantile of chi-square, 4 degrees of freedom


def test_labels_alone_are_drawn_as_often_as_they_are_there():
    labels = task(0, 4000, labels=[3, 3, 3, 1])["label"]
    assert set(labels.tolist()) == {1, 3}
    assert np.mean(labels == 3) == pytest.approx(0.75, abs=0.03)


def test_more_classes_than_labels_can_be_asked_for():
    assert PaintEnv(**SMALL, labels=[0, 1], classes=4).observation_space["label"].n == 4


def test_a_target_without_a_pool_has_to_be_given():
    env = PaintVectorEnv(2, **SMALL, target=True, classes=3)
    message = (
        r"^this environment paints given pictures: make it with targets=\.\.\., or give one with each "
        r"reset\(options=\{'target': \.\.\.\}\)$"
    )
    for options in ({}, {"label": 2}):
        with pytest.raises(InputError, match=message):
            env.reset(options=options)
    observation, _ = env.reset(seed=0, options={"target": TARGETS[:2]})
    assert np.array_equal(observation["target"], TARGETS[:2])
    assert set(observation["label"].tolist()) <= {0, 1, 2}
    assert env.observation_space.contains(observation)


def test_what_an_earlier_episode_was_given_is_forgotten():
    env = PaintVectorEnv(3, **SMALL, targets=TARGETS, labels=LABELS)
    first, _ = env.reset(seed=4)
    env.reset(seed=4, options={"target": TARGETS[0] // 2, "label": 0})
    again, _ = env.reset(seed=4)
    assert np.array_equal(again["target"], first["target"]) and np.array_equal(again["label"], first["label"])


@pytest.mark.parametrize("kind", ["targets", "dataset", "labels", "classes"])
def test_the_seed_decides(data, kind):
    arguments = {
        "targets": {"targets": TARGETS, "labels": LABELS},
        "dataset": {"targets": data, "classes": 3},
        "labels": {"labels": LABELS},
        "classes": {"classes": 3},
    }[kind]
    one, same, other = (task(seed, **arguments) for seed in (5, 5, 1000))
    assert one.keys() == same.keys() and "label" in one
    for name, values in one.items():
        assert np.array_equal(values, same[name])
        assert not np.array_equal(values, other[name])
    assert not np.array_equal(task(5, **arguments, noise_size=0)["label"], one["label"]), "noise is drawn first"


@pytest.mark.parametrize("arguments", [{"classes": 3}, {"targets": True, "classes": 3}], ids=["classes", "dataset"])
def test_a_vector_environment_draws_what_single_ones_draw(data, arguments):
    arguments = arguments | ({"targets": data} if "targets" in arguments else {})
    vector = PaintVectorEnv(3, **SMALL, **arguments)
    singles = SyncVectorEnv([lambda: PaintEnv(**SMALL, **arguments)] * 3, autoreset_mode=AutoresetMode.NEXT_STEP)
    assert vector.observation_space == singles.observation_space
    actions = np.zeros((3, 5), int)
    for call in (lambda env: env.reset(seed=11), *[lambda env: env.step(actions)] * 4):  # into the next episode
        ours, theirs = call(vector)[0], call(singles)[0]
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [0, 3], "classes": 3}, "^labels go up to 3; this environment has classes=3, from 0$"),
        ({"targets": TARGETS, "classes": 3}, r"^an environment with classes=3 needs the label of each target: give"),
        ({"targets": TARGETS, "labels": LABELS[:5]}, r"^labels are int64 \[5\]; accepted: integers from 0, one for"),
        ({"labels": [[0, 1]]}, r"^labels are int64 \[1, 2\]; accepted: integers from 0"),
        ({"labels": [0.0, 1.0]}, r"^labels are float64 \[2\]; accepted: integers from 0"),
        ({"targets": "nowhere"}, "^unknown dataset 'nowhere'"),
    ],
)
def test_tasks_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        PaintEnv(**SMALL, **arguments)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (None, 3, r"the pictures of .*\.npz have no labels, which classes=3 needs; give labelled ones \(see: "),
        ([0, 1, 2], 2, r"the labels of .*\.npz go up to 2; set env\.classes=3, got 2$"),
        ([0, 1, -1], 2, r"a label of .*\.npz is -1; accepted: 0 to 1$"),
    ],
)
def test_a_dataset_must_have_labels_that_fit(tmp_path, labels, classes, message):
    arrays = {"images": np.tile(TARGETS, (5, 1, 1, 1))} | ({} if labels is None else {"labels": labels * 10})
    np.savez(tmp_path / "pictures.npz", **arrays)
    with pytest.raises(InputError, match=message):
        PaintEnv(**SMALL, targets=str(tmp_path / "pictures.npz"), classes=classes)
    assert "label" not in PaintEnv(**SMALL, targets=str(tmp_path / "pictures.npz")).observation_space.spaces
