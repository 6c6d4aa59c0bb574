"""The discriminator learner inside this process, on real digits."""

import dataclasses
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from spiral.agents.discriminator import Discriminator, draw_masks, score_input
from spiral.agents.discriminator_learner import DiscriminatorLearner, Publication
from spiral.agents.objectives import OBJECTIVES, AdversarialObjective
from spiral.agents.rollout import paint_rollout
from spiral.config import DiscriminatorConfig, EnvConfig, ObjectiveConfig, Scoring
from spiral.datasets import load_pictures
from spiral.envs.vector import PaintVectorEnv
from spiral.errors import InputError, SpiralError

every_objective = pytest.mark.parametrize(
    "objective", [name for name in OBJECTIVES.names() if issubclass(OBJECTIVES.get(name), AdversarialObjective)]
)
ENV = EnvConfig(width=16, height=16, grid=8, episode_length=3)
CONFIG = DiscriminatorConfig(channels=(8, 16), learning_rate=1e-3, batch_size=16, updates=2, buffer_size=64)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As Ray gives to a process with one CPU; more of them wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits():
    return load_pictures("digits", "train", width=16, height=16, channels=1).images


@pytest.fixture(scope="module")
def data(digits, tmp_path_factory):
    """Some of them in a file, which is quicker to read than all of them are."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, images=digits[:600, ..., 0])
    return str(path)


@pytest.fixture(scope="module")
def canvases():
    """What a painter that knows nothing paints, uint8 [96, 16, 16, 1]."""
    env = PaintVectorEnv(96, ENV)
    return paint_rollout(env, None, torch.Generator().manual_seed(0), seed=0).finals


@pytest.fixture(params=["wasserstein", "hinge"])
def make(request, data):
    def make_learner(seed=0, config=CONFIG):
        return DiscriminatorLearner(Scoring(config, ObjectiveConfig(name=request.param), ENV, data, seed))

    make_learner.objective = OBJECTIVES.get(request.param)
    return make_learner


def train(learner, canvases, rounds=3):
    """Rounds of 8 canvases each."""
    return [learner.train({"canvas": canvases[8 * i : 8 * i + 8]}) for i in range(rounds)]


def assert_same(one, other):
    assert one.version == other.version
    assert one.metrics == other.metrics
    assert one.weights.keys() == other.weights.keys()
    for name, value in one.weights.items():
        assert np.array_equal(value, other.weights[name]), name


def differ(one, other):
    return any(not np.array_equal(value, other.weights[name]) for name, value in one.weights.items())


def test_one_seed_gives_the_same_publications(make, canvases):
    one, same = (train(make(seed=3), canvases) for _ in range(2))
    for mine, theirs in zip(one, same, strict=True):
        assert_same(mine, theirs)


def test_the_seed_is_the_only_source_of_chance(make, canvases):
    torch.manual_seed(0)
    one = train(make(), canvases)
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state()
    assert_same(train(make(), canvases)[-1], one[-1])
    assert torch.equal(torch.get_rng_state(), before), "and it leaves torch's own random state alone"


def test_another_seed_gives_other_weights(make, canvases):
    one, other = make(seed=0), make(seed=1)
    assert differ(one.publication(), other.publication())
    assert differ(train(one, canvases)[-1], train(other, canvases)[-1])


def test_a_restored_learner_goes_on_bit_for_bit(make, canvases):
    learner, restored = make(), make(seed=9)
    train(learner, canvases)
    state = learner.get_state()
    expected = train(learner, canvases[24:])
    train(restored, canvases[48:])  # whatever it was at before
    restored.set_state(state)
    for mine, theirs in zip(train(restored, canvases[24:]), expected, strict=True):
        assert_same(mine, theirs)


def test_a_state_is_not_changed_by_training_on(make, canvases):
    learner, restored = make(), make()
    train(learner, canvases)
    kept = learner.get_state()
    first = train(learner, canvases[24:])
    train(learner, canvases[48:])
    restored.set_state(kept)
    assert_same(train(restored, canvases[24:])[-1], first[-1])


def test_a_restored_learner_learns_at_the_rate_that_is_set_now(make, canvases):
    learner, still = make(), make(config=dataclasses.replace(CONFIG, learning_rate=0.0))
    train(learner, canvases)
    still.set_state(learner.get_state())
    before = still.publication().weights
    after = still.train({"canvas": canvases[:8]}).weights
    assert all(np.array_equal(after[name], before[name]) for name, _ in still._discriminator.named_parameters())


@pytest.mark.faults("NaN in the weights of the discriminator")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_spoiled_end_the_run(make, canvases, value):
    learner = make()
    published = train(learner, canvases)[-1]
    learner.set_weights(3, {name: np.full_like(weights, value) for name, weights in published.weights.items()})
    with pytest.raises(SpiralError, match=r"^losses of the discriminator are not finite, version 4$"):
        learner.train({"canvas": canvases[:8]})


@pytest.mark.faults("an update of the discriminator that makes its weights NaN")
def test_an_update_that_spoils_weights_is_found_though_its_loss_was_finite(make, canvases):
    learner = make(config=dataclasses.replace(CONFIG, updates=1, learning_rate=1e39))
    with pytest.raises(SpiralError, match=r"^weights of the discriminator are not finite, version \d$"):
        train(learner, canvases)


def test_published_weights_are_copies(make, canvases):
    learner = make()
    publication = learner.train({"canvas": canvases[:8]})
    kept = {name: value.copy() for name, value in publication.weights.items()}
    train(learner, canvases)
    assert all(np.array_equal(value, kept[name]) for name, value in publication.weights.items())
    assert differ(learner.publication(), publication)


def test_it_learns_with_denormals_taken_for_zero(make, canvases):
    learner, taken = make(), []
    learner._discriminator.register_forward_hook(lambda *_: taken.append(sys.float_info.min / 2 == 0))
    learner.train({"canvas": canvases})
    assert taken
    assert all(taken)


def test_published_weights_fit_the_discriminator_that_scores(make, canvases):
    publication = make().train({"canvas": canvases[:8]})
    discriminator = Discriminator(CONFIG, ENV, make.objective.spectral)
    loaded = discriminator.load_state_dict({name: torch.as_tensor(v) for name, v in publication.weights.items()})
    assert not loaded.missing_keys and not loaded.unexpected_keys


def test_versions_count_the_batches_of_canvases(make, canvases):
    learner = make()
    assert learner.publication().version == 0
    assert [publication.version for publication in train(learner, canvases)] == [1, 2, 3]
    assert learner.publication().version == 3


def test_it_goes_on_from_weights_it_is_given_with_a_fresh_optimiser(make, canvases):
    source, learner = make(seed=0), make(seed=1)
    published = train(source, canvases)[-1]
    train(learner, canvases)
    learner.set_weights(published.version, published.weights)
    assert_same(learner.publication(published.metrics), published)
    assert learner.get_state()["optimizer"] == {}
    following = learner.train({"canvas": canvases[24:32]})
    assert following.version == published.version + 1
    assert differ(following, published)


def test_metrics_are_means_over_the_updates(make, canvases):
    names = {"loss", "gap"} | ({"gradient_penalty"} if not make.objective.spectral else set())
    publication = make().train({"canvas": canvases[:8]})
    assert publication.metrics.keys() == names
    assert all(np.isfinite(value) for value in publication.metrics.values())
    idle = make(config=DiscriminatorConfig(channels=(8, 16), updates=0)).train({"canvas": canvases[:8]})
    assert idle == Publication(1, idle.weights, {})


def test_it_trains_where_the_caller_needs_no_gradient(make, canvases):
    learner = make()
    before = learner.publication()
    with torch.no_grad():
        assert differ(learner.train({"canvas": canvases[:8]}), before)


def with_weights(publication, objective, config, env):
    """A discriminator that scores with published weights."""
    discriminator = Discriminator(config, env, OBJECTIVES.get(objective).spectral).eval()
    discriminator.load_state_dict({name: torch.as_tensor(value) for name, value in publication.weights.items()})
    return discriminator


@every_objective
def test_it_learns_to_tell_digits_from_random_strokes(objective, data, digits, canvases):
    learner = DiscriminatorLearner(Scoring(CONFIG, ObjectiveConfig(name=objective), ENV, data, seed=0))
    for _ in range(30):
        publication = learner.train({"canvas": canvases[:64]})
    discriminator = with_weights(publication, objective, CONFIG, ENV)
    with torch.no_grad():  # pictures and canvases it has not been trained on
        real, fake = (discriminator(score_input(torch.as_tensor(x))) for x in (digits[-200:], canvases[64:]))
    assert real.mean() - fake.mean() > real.std()


def test_pictures_that_cannot_be_read_are_the_users_mistake():
    with pytest.raises(InputError, match="unknown dataset 'digitz'.*Did you mean 'digits'"):
        DiscriminatorLearner(Scoring(CONFIG, ObjectiveConfig(), ENV, "digitz", seed=0))


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_transparent_pictures_are_laid_on_the_canvas_background(tmp_path, level):
    for name in ("a", "b"):
        Image.new("LA", (16, 16), (128, 0)).save(tmp_path / f"{name}.png")
    env = dataclasses.replace(ENV, background=(level, level, level), ink=(1 - level,) * 3)
    learner = DiscriminatorLearner(Scoring(CONFIG, ObjectiveConfig(), env, str(tmp_path), 0))
    assert (learner._pictures == 255 * level).all()


# Paintings that were asked for.


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Digits of all ten classes with their labels, and the same in a file."""
    pictures = load_pictures("digits", "train", width=16, height=16, channels=1)
    images, labels = pictures.images[::4], pictures.labels[::4]
    path = tmp_path_factory.mktemp("data") / "labelled.npz"
    np.savez(path, images=images[..., 0], labels=labels)
    return images, labels, str(path)


class Recorder(OBJECTIVES.get("hinge")):
    """Keeps what the loss is given, as (real, fake, their scores)."""

    def loss(self, discriminator, real, fake, generator):
        with torch.no_grad():
            self.given = real, fake, discriminator(torch.cat([real, fake]))
        return super().loss(discriminator, real, fake, generator)


def recorded(data, examples, config=CONFIG, **asked):
    """The learner of a task, and what its objective got at its last update."""
    learner = DiscriminatorLearner(
        Scoring(config, ObjectiveConfig(name="hinge"), dataclasses.replace(ENV, **asked), data, 0)
    )
    learner._objective = Recorder(ObjectiveConfig(name="hinge"))
    learner.train(examples)
    return learner, *learner._objective.given


def negatives(targets):
    """Paintings that tell by themselves what they were asked to be."""
    return {"canvas": 255 - targets, "target": targets}


def test_the_real_counterpart_of_a_painting_is_its_target(data, digits):
    _, real, fake, _ = recorded(data, negatives(digits[:40]), target=True)
    assert real.shape == fake.shape == (16, 2, 16, 16)
    targets = real[:, :1]
    assert len(targets.unique(dim=0)) > 8
    assert torch.equal(real[:, 1:], targets) and torch.equal(fake[:, :1], targets)
    assert torch.allclose(fake[:, 1:], -targets, atol=1e-6)


@pytest.mark.parametrize("masks", ["halves", "random"])
def test_a_complement_shows_of_the_target_what_it_hides_of_the_painting(data, digits, masks):
    config = dataclasses.replace(CONFIG, condition="complement", masks=masks)
    _, real, fake, _ = recorded(data, negatives(digits[:40] | 1), config, target=True)  # no grey in the middle
    targets = real.sum(dim=1, keepdim=True)
    known = score_input(torch.as_tensor(digits[:40] | 1))
    assert all((known == target).all(dim=(1, 2, 3)).any() for target in targets), "together the halves are a target"
    seen = real[:, 1:] != 0
    assert seen.any() and (~seen).any() and (seen != seen[:1]).any()
    assert torch.equal(fake[:, :1], real[:, :1])
    assert torch.allclose(fake[:, 1:], torch.where(seen, -targets, 0), atol=1e-6)


def test_the_real_counterpart_of_a_label_is_a_picture_of_that_class(labelled):
    images, labels, data = labelled
    train = load_pictures(data, "train", width=16, height=16, channels=1)
    classes = np.arange(64) % 10
    canvases = np.broadcast_to((20 * classes).astype(np.uint8)[:, None, None, None], (64, 16, 16, 1))
    config = dataclasses.replace(CONFIG, batch_size=400, updates=1, learning_rate=0.0)
    _, real, fake, _ = recorded(data, {"canvas": canvases, "label": classes}, config, classes=10)
    asked = torch.round((fake[:, 0, 0, 0] + 1) * 127.5 / 20).long()
    known = {picture.numpy().tobytes(): label for picture, label in zip(score_input(torch.as_tensor(images)), labels)}
    assert [known[picture.numpy().tobytes()] for picture in real] == asked.tolist()
    assert len(real.unique(dim=0)) > len(train) / 4, "any of its pictures"


@pytest.mark.parametrize(
    "classes, message",
    [
        (2, r"go up to 9; set env\.classes=10"),
        (12, r"no picture of .*\.npz has label 10; classes=12 needs 0 to 11$"),
        (10, "have no labels"),
    ],
)
def test_pictures_need_labels_of_all_classes_and_no_others(data, labelled, classes, message):
    path = data if classes == 10 else labelled[2]
    with pytest.raises(InputError, match=message):
        DiscriminatorLearner(
            Scoring(CONFIG, ObjectiveConfig(), dataclasses.replace(ENV, classes=classes), path, seed=0)
        )


def greys(rng, count):
    """Pictures of one grey each, and of another."""
    levels = rng.integers(0, 256, (2, count, 1, 1, 1), dtype=np.uint8)
    levels[1] = levels[0] + rng.integers(64, 192, (count, 1, 1, 1), dtype=np.uint8)
    return np.broadcast_to(levels, (2, count, 16, 16, 1)).copy()


@every_objective
@pytest.mark.parametrize(
    "condition, masks",
    [("pair", "halves"), ("complement", "halves"), ("complement", "random")],
    ids=lambda word: word,
)
def test_it_learns_to_tell_a_target_from_another_picture(objective, condition, masks, data):
    env = dataclasses.replace(ENV, target=True)
    config = dataclasses.replace(CONFIG, learning_rate=3e-3, batch_size=32, condition=condition, masks=masks)
    learner, rng = (
        DiscriminatorLearner(Scoring(config, ObjectiveConfig(name=objective), env, data, seed=0)),
        np.random.default_rng(0),
    )
    for _ in range(40):
        targets, others = greys(rng, 64)
        publication = learner.train({"canvas": others, "target": targets})
    discriminator = with_weights(publication, objective, config, env)
    targets, others = (torch.as_tensor(pictures) for pictures in greys(rng, 200))
    shown = None if condition == "pair" else draw_masks(masks, 200, env, torch.Generator().manual_seed(1))
    with torch.no_grad():
        own, other = (discriminator(score_input(pictures, targets, shown)) for pictures in (targets, others))
    assert (own > other).float().mean() > 0.95
    assert own.mean() - other.mean() > own.std()


@every_objective
def test_it_learns_to_tell_a_digit_of_its_label_from_one_of_another(objective, labelled):
    images, labels, data = labelled
    env = dataclasses.replace(ENV, classes=10)
    config = dataclasses.replace(CONFIG, learning_rate=3e-3, batch_size=32, buffer_size=512)
    learner, rng = (
        DiscriminatorLearner(Scoring(config, ObjectiveConfig(name=objective), env, data, seed=0)),
        np.random.default_rng(0),
    )
    for _ in range(60):  # its fakes are real digits, only not of the label asked for
        chosen = rng.integers(len(images), size=64)
        others = (labels[chosen] + rng.integers(1, 10, size=64)) % 10
        publication = learner.train({"canvas": images[chosen], "label": others})
    discriminator = with_weights(publication, objective, config, env)
    held_out = load_pictures("digits", "test", width=16, height=16, channels=1)
    x, own = score_input(torch.as_tensor(held_out.images)), torch.as_tensor(held_out.labels)
    with torch.no_grad():
        found = torch.stack([discriminator.log_probs(x, (own + shift) % 10) for shift in range(10)])
    assert (found[0] > found[1:]).float().mean() > 0.75
