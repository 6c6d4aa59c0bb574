"""What canvases are worth: by a discriminator or by the target alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spiral import config
from spiral.agents.algorithm import Spiral, SpiralConfig
from spiral.agents.discriminator import score_input
from spiral.agents.scorer import DiscriminatorScorer, TargetScorer, make_scorer
from spiral.datasets import load_pictures

COMPLEMENT = ["objective.name=hinge", "env.target=true", "discriminator.condition=complement"]
PAIR = ["objective.name=hinge", "env.target=true"]
LABEL = ["objective.name=hinge", "env.classes=10"]
ALL = [[], PAIR, COMPLEMENT, [*COMPLEMENT, "discriminator.masks=random", "env.classes=10"], LABEL]
every_kind = pytest.mark.parametrize("settings", ALL, ids=["canvas", "pair", "complement", "random, label", "label"])


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """With digits from a file, which is quicker to read than all of them are."""
    digits = load_pictures("digits", "test", width=16, height=16, channels=1)
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, images=digits.images[::2, ..., 0], labels=digits.labels[::2])
    return config.override(tiny_run, [f"data={path}"])


def make(run, *settings):
    run = config.override(run, list(settings))
    return make_scorer(run.scoring, torch.device("cpu"))


def pictures(seed, count=8):
    return torch.as_tensor(np.random.default_rng(seed).integers(256, size=(count, 16, 16, 1), dtype=np.uint8))


def task(seed, settings, count=8):
    asked = {"target": pictures(100 + seed, count)} if "env.target=true" in settings else {}
    return asked | ({"label": (torch.arange(count) + seed) % 10} if "env.classes=10" in settings else {})


def learn(scorer, seed, settings):
    examples = {"canvas": pictures(seed)} | task(seed, settings)
    return scorer.learn({name: values.numpy() for name, values in examples.items()})


@torch.no_grad()
def score(scorer, canvases, asked):
    return scorer.score(canvases, asked)


@every_kind
def test_scores_stand_still_between_two_rollouts(run, settings):
    scorer = make(run, *settings)
    learn(scorer, 0, settings)
    first = score(scorer, pictures(50), task(50, settings))
    assert torch.equal(score(scorer, pictures(50), task(50, settings)), first)
    learn(scorer, 1, settings)
    assert not torch.equal(score(scorer, pictures(50), task(50, settings)), first)


def test_masks_change_from_one_rollout_to_the_next(run):
    scorer = make(run, *COMPLEMENT, "discriminator.updates=0")  # so that nothing else changes
    scores = []
    for seed in range(3):
        learn(scorer, seed, COMPLEMENT)
        scores.append(score(scorer, pictures(50), task(50, COMPLEMENT)))
    assert not torch.allclose(scores[0], scores[1]) and not torch.allclose(scores[1], scores[2])


@every_kind
def test_what_is_asked_for_counts(run, settings):
    scorer, canvases, asked = make(run, *settings), pictures(50), task(50, settings)
    scores = score(scorer, canvases, asked)
    assert scores.shape == (8,)
    for name, values in asked.items():
        others = score(scorer, canvases, asked | {name: values.roll(1, dims=0)})
        assert (others - scores).abs().min() > 1e-5, name


@pytest.mark.parametrize("masks", ["halves", "random"])
def test_a_complement_sees_the_whole_canvas_and_the_whole_target(run, masks):
    scorer = make(run, *COMPLEMENT, f"discriminator.masks={masks}")
    canvas, asked = pictures(50, 1), task(50, COMPLEMENT, 1)
    before = score(scorer, canvas, asked)
    for row in range(0, 16, 4):
        for column in range(0, 16, 4):
            block = torch.zeros(1, 16, 16, 1, dtype=torch.uint8)
            block[:, row : row + 4, column : column + 4] = 255
            assert score(scorer, canvas ^ block, asked) != before
            assert score(scorer, canvas, {"target": asked["target"] ^ block}) != before


def test_a_complement_scores_the_mean_of_what_a_mask_shows_and_hides(run):
    """Of a canvas that is its target, any mask shows the same at both places: the two halves of the whole."""
    scorer = make(run, *COMPLEMENT)
    canvas, target = pictures(50, 1), pictures(51, 1)
    scores = score(scorer, canvas.expand(400, -1, -1, -1), {"target": target.expand(400, -1, -1, -1)})
    upper, left = torch.zeros(2, 1, 16, 16, 1, dtype=torch.bool)
    upper[:, :8], left[:, :, :8] = True, True
    with torch.no_grad():
        expected = [
            torch.stack([scorer._discriminator(score_input(canvas, target, m)) for m in (mask, ~mask)]).mean().item()
            for mask in (upper, left)
        ]
    values, counts = np.unique(scores.numpy().round(6), return_counts=True)
    assert values == pytest.approx(sorted(expected), abs=1e-5)
    assert counts.min() > 150


@pytest.mark.parametrize("weight", [0.0, 1.0, 0.3])
def test_of_a_label_its_log_probability_is_added_to_the_score(run, weight):
    scorer = make(run, *LABEL, f"objective.label_weight={weight}")
    canvases, asked = pictures(50), task(50, LABEL)
    with torch.no_grad():
        x = score_input(canvases)
        expected = scorer._discriminator(x) + weight * scorer._discriminator.log_probs(x, asked["label"])
    assert torch.allclose(score(scorer, canvases, asked), expected)


@every_kind
def test_a_restored_scorer_goes_on_bit_for_bit(run, settings):
    first, second = make(run, *settings), make(run, *settings, "seed=99")
    for seed in range(3):
        learn(first, seed, settings)
    second.set_state(first.get_state())
    for seed in range(3, 6):
        assert learn(first, seed, settings) == learn(second, seed, settings)
        scores = [score(scorer, pictures(50), task(50, settings)) for scorer in (first, second)]
        assert torch.equal(*scores)


# By the target alone.

L2 = ["objective.name=l2", "env.target=true"]


@pytest.mark.parametrize("scales", [[1], [1, 2, 4], [3]])
def test_l2_is_the_squared_error_at_each_scale(run, scales):
    scorer = make(run, *L2, f"objective.scales={scales}")
    canvases, targets = pictures(0, 5), pictures(1, 5)
    difference = (canvases.numpy().astype(float) - targets.numpy())[..., 0] / 255
    expected = np.zeros(5)
    for scale in scales:
        beyond = -16 % scale  # nothing differs there
        padded = np.pad(difference, ((0, 0), (0, beyond), (0, beyond)))
        sides = range(0, 16, scale)
        blocks = [padded[:, y : y + scale, x : x + scale].mean(axis=(1, 2)) for y in sides for x in sides]
        expected -= np.square(blocks).mean(axis=0) * scale**2 / len(scales)
    assert score(scorer, canvases, {"target": targets}).tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_l2_learns_nothing_keeps_nothing_and_starts_no_process(run):
    scorer = make(run, *L2, "discriminator.remote=true")  # without Ray
    assert isinstance(scorer, TargetScorer)
    assert learn(scorer, 0, L2) == {} and scorer.get_state() == {}
    scorer.set_state({})
    scorer.stop()
    assert isinstance(make(run, *PAIR), DiscriminatorScorer)


def test_ray_tune_reserves_no_room_for_a_discriminator_that_there_is_not(run):
    bundles = {
        name: Spiral.default_resource_request(
            SpiralConfig.from_run(
                config.override(run, ["env.target=true", "discriminator.remote=true", f"objective.name={name}"])
            )
        ).bundles
        for name in ("hinge", "l2")
    }
    assert bundles["hinge"] == [*bundles["l2"], {"CPU": 1.0}]
