"""The discriminator learner inside this process, on real digits."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from spiral.agents.discriminator import Discriminator, score_input
from spiral.agents.discriminator_learner import DiscriminatorLearner, Publication
from spiral.agents.objectives import OBJECTIVES, AdversarialObjective
from spiral.agents.rollout import paint_rollout
from spiral.config import DiscriminatorConfig, EnvConfig, ObjectiveConfig
from spiral.datasets import load_pictures
from spiral.envs.vector import PaintVectorEnv
from spiral.errors import InputError

ENV = EnvConfig(width=16, height=16, grid=8, episode_length=3)
CONFIG = DiscriminatorConfig(channels=(8, 16), learning_rate=1e-3, batch_size=16, updates=2, buffer_size=64)


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
        return DiscriminatorLearner(config, ObjectiveConfig(name=request.param), ENV, data, seed)

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


def test_published_weights_are_copies(make, canvases):
    learner = make()
    publication = learner.train({"canvas": canvases[:8]})
    kept = {name: value.copy() for name, value in publication.weights.items()}
    train(learner, canvases)
    assert all(np.array_equal(value, kept[name]) for name, value in publication.weights.items())
    assert differ(learner.publication(), publication)


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
    assert learner.get_state()["optimizer"]["state"] == {}
    assert learner.get_state()["optimizer"]["param_groups"][0]["lr"] == CONFIG.learning_rate
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


@pytest.mark.parametrize(
    "objective", [name for name in OBJECTIVES.names() if issubclass(OBJECTIVES.get(name), AdversarialObjective)]
)
def test_it_learns_to_tell_digits_from_random_strokes(objective, data, digits, canvases):
    learner = DiscriminatorLearner(CONFIG, ObjectiveConfig(name=objective), ENV, data, seed=0)
    for _ in range(30):
        publication = learner.train({"canvas": canvases[:64]})
    discriminator = Discriminator(CONFIG, ENV, OBJECTIVES.get(objective).spectral).eval()
    discriminator.load_state_dict({name: torch.as_tensor(value) for name, value in publication.weights.items()})
    with torch.no_grad():  # pictures and canvases it has not been trained on
        real, fake = (discriminator(score_input(torch.as_tensor(x))) for x in (digits[-200:], canvases[64:]))
    assert real.mean() - fake.mean() > real.std()


def test_pictures_that_cannot_be_read_are_the_users_mistake():
    with pytest.raises(InputError, match="unknown dataset 'digitz'.*Did you mean 'digits'"):
        DiscriminatorLearner(CONFIG, ObjectiveConfig(), ENV, "digitz", seed=0)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_transparent_pictures_are_laid_on_the_canvas_background(tmp_path, level):
    for name in ("a", "b"):
        Image.new("LA", (16, 16), (128, 0)).save(tmp_path / f"{name}.png")
    env = dataclasses.replace(ENV, background=(level, level, level), ink=(1 - level,) * 3)
    learner = DiscriminatorLearner(CONFIG, ObjectiveConfig(), env, str(tmp_path), 0)
    assert (learner._pictures == 255 * level).all()
