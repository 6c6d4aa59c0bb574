import numpy as np
import pytest
import torch

from spiral.agents.discriminator import Discriminator, score_input
from spiral.canvas import CanvasSpec
from spiral.config import DiscriminatorConfig, EnvConfig
from spiral.datasets import load_pictures
from spiral.renderers import RENDERERS

SMALL = DiscriminatorConfig(channels=(4, 8))
both_kinds = pytest.mark.parametrize("spectral", [False, True], ids=["plain", "spectral"])


def make(spectral=False, width=16, height=16, channels=1, config=SMALL):
    torch.manual_seed(0)
    env = EnvConfig(width=width, height=height, channels=channels)
    return Discriminator(config, env, spectral).eval()


def noise(count, height=16, width=16, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def score(discriminator, pictures):
    with torch.no_grad():
        return discriminator(score_input(torch.as_tensor(pictures)))


def test_pictures_enter_as_planes_from_minus_one_to_one():
    pictures = np.zeros((2, 4, 6, 3), np.uint8)
    pictures[1, 2, 5] = 255, 0, 51
    planes = score_input(torch.as_tensor(pictures))
    assert planes.shape == (2, 3, 4, 6)
    assert planes.dtype == torch.float32
    assert planes[1, :, 2, 5].tolist() == pytest.approx([1.0, -1.0, -0.6])
    assert planes[0].unique().tolist() == [-1.0]


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


def layer_norms(discriminator):
    layers = [layer for layer in (*discriminator.layers, discriminator.score) if hasattr(layer, "weight")]
    return [torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() for layer in layers]


def test_spectral_normalisation_bounds_every_layer():
    discriminator = make(spectral=True).train()
    with torch.no_grad():
        for layer in (*discriminator.layers, discriminator.score):
            if hasattr(layer, "weight"):
                layer.parametrizations.weight.original.mul_(10)
        for _ in range(30):  # each pass is one step of the power iteration
            discriminator(score_input(torch.as_tensor(noise(1))))
    assert layer_norms(discriminator) == pytest.approx([1, 1, 1], abs=0.02)


def test_without_it_layers_are_as_large_as_they_are():
    discriminator = make(spectral=False)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.mul_(10)
    assert min(layer_norms(discriminator)) > 2
