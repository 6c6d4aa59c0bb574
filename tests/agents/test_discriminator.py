import numpy as np
import pytest
import torch

from spiral.agents.discriminator import Discriminator, draw_masks, score_input
from spiral.canvas import CanvasSpec
from spiral.config import DiscriminatorConfig, EnvConfig
from spiral.datasets import load_pictures
from spiral.renderers import RENDERERS

SMALL = DiscriminatorConfig(channels=(4, 8))
both_kinds = pytest.mark.parametrize("spectral", [False, True], ids=["plain", "spectral"])


def make(spectral=False, width=16, height=16, channels=1, config=SMALL, **asked):
    torch.manual_seed(0)
    env = EnvConfig(width=width, height=height, channels=channels, **asked)
    return Discriminator(config, env, spectral).eval()


def noise(count, height=16, width=16, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def score(discriminator, pictures, targets=None, masks=None):
    targets = None if targets is None else torch.as_tensor(targets)
    with torch.no_grad():
        return discriminator(score_input(torch.as_tensor(pictures), targets, masks))


def test_pictures_enter_as_planes_from_minus_one_to_one():
    pictures = np.zeros((2, 4, 6, 3), np.uint8)
    pictures[1, 2, 5] = 255, 0, 51
    planes = score_input(torch.as_tensor(pictures))
    assert planes.shape == (2, 3, 4, 6)
    assert planes.dtype == torch.float32
    assert planes[1, :, 2, 5].tolist() == pytest.approx([1.0, -1.0, -0.6])
    assert planes[0].unique().tolist() == [-1.0]


def test_a_target_enters_before_its_picture():
    pictures, targets = (torch.as_tensor(noise(2, channels=3, seed=seed)) for seed in (0, 1))
    planes = score_input(pictures, targets)
    assert planes.shape == (2, 6, 16, 16)
    assert torch.equal(planes[:, :3], score_input(targets))
    assert torch.equal(planes[:, 3:], score_input(pictures))


@pytest.mark.parametrize("kind", ["halves", "random"])
def test_of_a_target_only_what_a_mask_hides_of_the_picture_is_seen(kind):
    pictures, targets = (torch.as_tensor(noise(8, seed=seed)) for seed in (0, 1))
    masks = draw_masks(kind, 8, EnvConfig(width=16, height=16), torch.Generator().manual_seed(0))
    target, picture = score_input(pictures, targets, masks).split(1, dim=1)
    seen = masks.permute(0, 3, 1, 2)
    assert seen.any() and not seen.all()
    assert torch.equal(picture[seen], score_input(pictures)[seen])
    assert torch.equal(target[~seen], score_input(targets)[~seen])
    assert not picture[~seen].any() and not target[seen].any()
    hidden_changed = torch.where(masks, pictures, 255 - pictures)
    assert torch.equal(score_input(hidden_changed, targets, masks), score_input(pictures, targets, masks))


HALVES = {"left", "right", "upper", "lower"}


def half_of(mask, height, width):
    """The name of a half, for a mask bool [height, width] that is one; of an odd side, the first half is the larger."""
    halves = {name: np.zeros((height, width), bool) for name in HALVES}
    halves["upper"][: -(-height // 2)] = halves["left"][:, : -(-width // 2)] = True
    halves["lower"], halves["right"] = ~halves["upper"], ~halves["left"]
    return next(name for name, half in halves.items() if np.array_equal(half, mask))


@pytest.mark.parametrize("width, height", [(16, 16), (17, 23), (64, 16)])
def test_half_masks_are_the_four_halves_equally_often(width, height):
    masks = draw_masks("halves", 2000, EnvConfig(width=width, height=height), torch.Generator().manual_seed(0))
    assert masks.shape == (2000, height, width, 1) and masks.dtype == torch.bool
    names, counts = np.unique([half_of(mask, height, width) for mask in masks[..., 0].numpy()], return_counts=True)
    assert set(names) == HALVES
    assert ((counts - 500) ** 2 / 500).sum() < 16.3  # 0.999 quantile of chi-square, 3 degrees of freedom


@pytest.mark.parametrize("width, height", [(16, 16), (17, 23), (64, 16)])
def test_random_masks_are_blocks_each_seen_half_the_time(width, height):
    count = 2000
    masks = draw_masks("random", count, EnvConfig(width=width, height=height), torch.Generator().manual_seed(0))
    assert masks.shape == (count, height, width, 1) and masks.dtype == torch.bool
    rows, columns = (np.arange(side) * 4 // side for side in (height, width))
    blocks = masks[:, np.searchsorted(rows, range(4))][:, :, np.searchsorted(columns, range(4)), 0]
    assert torch.equal(blocks[:, rows][:, :, columns], masks[..., 0])
    blocks = blocks.reshape(count, 16).float()
    assert (blocks.mean(dim=0) - 0.5).abs().max() < 0.05
    assert (np.corrcoef(blocks.T.numpy()) - np.eye(16)).max() < 0.1, "each by itself"


@pytest.mark.parametrize("kind", ["halves", "random"])
def test_masks_are_the_generators(kind):
    def draw(seed):
        return draw_masks(kind, 50, EnvConfig(width=16, height=16), torch.Generator().manual_seed(seed))

    torch.manual_seed(0)
    one = draw(1)
    torch.manual_seed(1)
    assert torch.equal(draw(1), one) and not torch.equal(draw(2), one)


def test_a_digit_scores_the_same_on_a_canvas_and_in_the_dataset():
    """Nothing but the picture may tell real from painted: no other scale, layout or rounding on either way."""
    digits = load_pictures("digits", "test", width=16, height=16, channels=1).images[:5]
    canvas = RENDERERS.get("cairo")(CanvasSpec(16, 16, 1))
    painted = []
    for digit in digits:
        canvas.memory[..., :3] = digit
        painted.append(canvas.pixels())
    painted = np.stack(painted)
    assert torch.equal(score_input(torch.as_tensor(painted)), score_input(torch.as_tensor(digits)))
    scores = score(make(), digits)
    assert torch.equal(score(make(), painted), scores)
    assert len(scores.unique()) == 5


@both_kinds
def test_permuted_pictures_have_permuted_scores(spectral):
    discriminator, pictures = make(spectral), noise(6)
    order = [3, 1, 5, 0, 4, 2]
    scores = score(discriminator, pictures)
    assert scores.shape == (6,)
    assert scores.std() > 0
    assert torch.allclose(score(discriminator, pictures[order]), scores[order], atol=1e-5)


@both_kinds
def test_permuted_pictures_with_their_targets_have_permuted_scores(spectral):
    discriminator, pictures, targets = make(spectral, target=True), noise(6), noise(6, seed=1)
    order = [3, 1, 5, 0, 4, 2]
    scores = score(discriminator, pictures, targets)
    permuted = score(discriminator, pictures[order], targets[order])
    assert torch.allclose(permuted, scores[order], atol=1e-5)
    others = score(discriminator, pictures, targets[order])
    assert (others - scores)[[0, 2, 3, 5]].abs().min() > 1e-4, "the target is seen"


@both_kinds
def test_the_classifier_gives_each_picture_the_log_probability_of_its_own_label(spectral):
    discriminator, labels = make(spectral, classes=3), torch.tensor([2, 0, 0, 1])
    x = score_input(torch.as_tensor(noise(4)))
    with torch.no_grad():
        found = discriminator.log_probs(x, labels)
        logits = discriminator.classes(discriminator.layers(x)).double()
        expected = [float(logits[i, label] - logits[i].exp().sum().log()) for i, label in enumerate(labels)]
        every = torch.stack([discriminator.log_probs(x, torch.full((4,), label)) for label in range(3)])
    assert found.tolist() == pytest.approx(expected, abs=1e-5)
    assert every.exp().sum(dim=0).tolist() == pytest.approx([1] * 4, abs=1e-5)
    assert make(spectral).classes is None


@both_kinds
@pytest.mark.parametrize("training", [False, True])
def test_a_picture_alone_scores_as_it_does_in_a_batch(spectral, training):
    pictures = noise(6)
    together = score(make(spectral).train(training), pictures)
    alone = torch.cat([score(make(spectral).train(training), pictures[i : i + 1]) for i in range(6)])
    assert torch.allclose(alone, together, atol=1e-5)


@both_kinds
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("width, height", [(16, 16), (17, 23), (64, 64), (31, 100), (128, 128), (128, 16), (16, 1024)])
def test_any_canvas_can_be_scored(spectral, channels, width, height):
    discriminator = make(spectral, width, height, channels)
    pictures = noise(2, height, width, channels)
    first, second = score(discriminator, pictures)
    assert first != second
    changed = pictures.copy()
    changed[0, height // 2 :, width // 2 :] ^= 255
    assert score(discriminator, changed)[0] != first


def widths_of(discriminator):
    return [layer.out_channels for layer in discriminator.layers if isinstance(layer, torch.nn.Conv2d)]


@pytest.mark.parametrize(
    "size, channels, expected",
    [
        ((16, 16), (4, 8), [4, 8]),  # 4 x 4 is left
        ((16, 16), (4, 8, 12), [4, 8, 12]),
        ((64, 64), (4, 8), [4, 8, 8, 8]),
        ((16, 64), (4, 8), [4, 8, 8, 8]),
        ((16, 16), (1, 2, 3, 4, 5, 6), [1, 2, 3, 4]),  # 1 x 1 cannot be halved
    ],
)
def test_layers_are_added_until_little_is_left(size, channels, expected):
    assert widths_of(make(False, *size, config=DiscriminatorConfig(channels=channels))) == expected


def weighted(discriminator):
    """The layers that have weights."""
    layers = (*discriminator.layers, discriminator.score, discriminator.classes)
    return [layer for layer in layers if hasattr(layer, "weight")]


def layer_norms(discriminator):
    return [torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() for layer in weighted(discriminator)]


def test_spectral_normalisation_bounds_every_layer():
    discriminator = make(spectral=True, classes=3).train()
    with torch.no_grad():
        for layer in weighted(discriminator):
            layer.parametrizations.weight.original.mul_(10)
    for _ in range(30):  # each pass is one step of the power iteration
        discriminator.log_probs(score_input(torch.as_tensor(noise(1))), torch.tensor([1]))
        score(discriminator, noise(1))
    assert layer_norms(discriminator) == pytest.approx([1, 1, 1, 1], abs=0.02)


def test_without_it_layers_are_as_large_as_they_are():
    discriminator = make(spectral=False)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.mul_(10)
    assert min(layer_norms(discriminator)) > 2
