import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from spiral.agents import networks
from spiral.canvas import CanvasSpec
from spiral.config import EnvConfig
from spiral.envs.actions import action_table
from spiral.errors import InputError
from spiral.renderers import RENDERERS

BACKGROUNDS = [(1, (1.0, 1.0, 1.0)), (1, (0.0, 0.0, 0.0)), (1, (0.5, 0.5, 0.5)), (3, (0.2, 0.5, 0.83))]


@pytest.mark.parametrize("channels, background", BACKGROUNDS)
def test_a_blank_canvas_is_all_zeros(channels, background):
    canvas = RENDERERS.get("cairo")(CanvasSpec(16, 24, channels, background))
    blank = torch.as_tensor(canvas.pixels())[None]
    assert torch.equal(networks.picture_tensor(blank, background), torch.zeros(1, channels, 24, 16))


def test_a_picture_is_its_distance_from_the_background():
    pictures = torch.zeros(2, 3, 16, 24, 3, dtype=torch.uint8)  # [episodes, steps, H, W, C]
    pictures[1, 2, 5, 7] = torch.tensor([255, 51, 0])
    planes = networks.picture_tensor(pictures, (1.0, 1.0, 0.0))
    assert planes.shape == (6, 3, 16, 24)
    assert planes.dtype == torch.float32
    assert planes[5, :, 5, 7].tolist() == pytest.approx([0.0, 0.8, 0.0])
    assert planes[0, :, 5, 7].tolist() == [1.0, 1.0, 0.0]


def test_an_mlp_has_a_relu_between_each_two_layers_and_none_at_the_end():
    kinds = [type(layer) for layer in networks.mlp(5, 4, 3, 2)]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]


def test_a_residual_block_is_its_input_plus_two_convolutions_of_it():
    block, x = networks.ResidualBlock(3), torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    _, first, _, second = block.convolutions
    expected = x + second(first(x.relu()).relu())
    assert torch.allclose(block(x), expected)
    assert not torch.allclose(block(x), x, atol=1e-3)


def test_features_of_a_cell_tell_where_it_is():
    table = action_table(EnvConfig(grid=5))
    cells = networks.CellFeatures(torch.as_tensor(table.cell_points), embedding=3)
    features = cells(torch.tensor([4, 20, 12]))  # top right, bottom left, middle
    assert features.shape == (3, cells.size)
    assert features[:, 3:5].tolist() == [[1.0, -1.0], [-1.0, 1.0], [0.0, 0.0]]
    assert torch.equal(features[:, :3], cells.learned.weight[[4, 20, 12]])
    every = cells(torch.arange(25))[:, 3:]
    assert len(every.unique(dim=0)) == 25
    assert every.abs().max() <= 1


def make_encoder(design, env, pictures, noise):
    if design == "quick":
        return networks.QuickEncoder(env, pictures, 6, noise, 24, (3, 5), maps=2)
    return networks.SpiralEncoder(env, pictures, 6, noise, 24)


def maps_of(seen):
    """The maps that a pointer head never makes, [N, C, cells]: sub-pixel convolution, then interpolation to the grid."""
    maps = F.pixel_shuffle(seen.maps.cells(seen.around), seen.maps._factor)
    return F.interpolate(maps, [seen.maps._grid] * 2, mode="bilinear", align_corners=True).flatten(2)


@pytest.mark.parametrize("places", [(8, 8), (4, 4), (5, 4), (3, 7), (9, 20)])
def test_scores_and_features_of_cells_are_those_of_the_maps(places):
    torch.manual_seed(0)
    cell_maps = networks.CellMaps(3, places, grid=8, channels=2)
    torch.nn.init.normal_(cell_maps.cells.bias)
    seen = cell_maps(torch.rand(64, 3, *places))
    maps, query = maps_of(seen), torch.randn(64, 2)
    torch.testing.assert_close(seen.scores(query), torch.einsum("nc,nck->nk", query, maps))
    cells = torch.arange(64)
    torch.testing.assert_close(seen.at(cells), maps[cells, :, cells])


@pytest.mark.parametrize("design", ["quick", "spiral"])
@pytest.mark.parametrize("width, height, channels", [(16, 16, 1), (17, 31, 3), (128, 16, 1), (20, 64, 3)])
@pytest.mark.parametrize("pictures, noise", [(1, 4), (2, 0)])
def test_encoders_take_any_canvas(design, width, height, channels, pictures, noise):
    encoder = make_encoder(design, EnvConfig(width=width, height=height, channels=channels), pictures, noise)
    canvases = torch.rand(6, channels, height, width)
    target = torch.rand(2, channels, height, width) if pictures == 2 else None
    heard = torch.rand(2, noise) if noise else None
    constants = encoder.constants(target, heard)
    features, seen = encoder(canvases, torch.zeros(6, 6), constants)
    assert features.shape == (6, 24)
    assert (features >= 0).all()
    assert seen is None if design == "spiral" else maps_of(seen).shape == (6, 2, 32 * 32)


@pytest.mark.parametrize("design", ["quick", "spiral"])
def test_constants_of_two_episodes_are_those_of_each_of_their_steps(design):
    torch.manual_seed(0)
    encoder = make_encoder(design, EnvConfig(width=16, height=16), 2, 4)
    canvases, extra, target, noise = (
        torch.rand(6, 1, 16, 16),
        torch.rand(6, 6),
        torch.rand(2, 1, 16, 16),
        torch.rand(2, 4),
    )
    at_each_step = encoder.constants(target.repeat_interleave(3, dim=0), noise.repeat_interleave(3, dim=0))
    expected = encoder(canvases, extra, at_each_step).features
    torch.testing.assert_close(encoder(canvases, extra, encoder.constants(target, noise)).features, expected)
    assert not torch.allclose(expected[0], expected[1])


def test_shares_of_the_pictures_are_the_whole_convolution():
    torch.manual_seed(0)
    convolution = networks.PictureConv2d(4, 3, 5, stride=2, padding=2)
    pictures = torch.rand(2, 4, 9, 9)
    shares = convolution.of(pictures[:, :1], 0) + convolution.of(pictures[:, 1:], 1)
    torch.testing.assert_close(shares, convolution(pictures))


def test_maps_show_each_cell_what_is_there():
    """A blob moves the maps most at its own cell, or beside it: the weights are random."""
    torch.manual_seed(0)
    encoder = make_encoder("quick", EnvConfig(width=64, height=64, grid=16), 1, 0)
    for row, column in ((0, 0), (5, 11), (15, 15)):
        pictures = torch.zeros(2, 1, 64, 64)
        y, x = round(row / 15 * 63), round(column / 15 * 63)
        pictures[1, 0, max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = 1
        with torch.no_grad():
            maps = maps_of(encoder(pictures, torch.zeros(2, 6), encoder.constants(None, None)).seen)
        blank, shown = maps.reshape(2, -1, 16, 16)
        moved = (shown - blank).abs().sum(dim=0)
        found = divmod(int(moved.argmax()), 16)
        assert max(abs(found[0] - row), abs(found[1] - column)) <= 1


def test_a_pointer_looks_for_what_its_query_says():
    head = networks.PointerHead(3, 16, 2)
    state, seen = torch.rand(4, 3), networks.CellMaps(3, (2, 2), grid=4, channels=2)(torch.rand(4, 3, 2, 2))
    expected = head.flat(state) + sum(head.query(state)[:, c, None] * maps_of(seen)[:, c] for c in range(2))
    torch.testing.assert_close(head(state, seen), expected)


def test_the_spiral_encoder_sees_where_left_and_top_are():
    encoder = make_encoder("spiral", EnvConfig(width=24, height=16), 1, 0)
    x, y = encoder.coordinates[0]
    assert x.shape == (16, 24)
    assert x[0, [0, -1]].tolist() == [-1, 1] and torch.equal(x[0], x[-1])
    assert y[[0, -1], 0].tolist() == [-1, 1] and torch.equal(y[:, 0], y[:, -1])


@pytest.mark.parametrize("grid", [4, 8, 16, 32, 64])
def test_a_map_head_has_a_logit_for_each_cell(grid):
    assert networks.MapLocationHead(32, grid)(torch.zeros(2, 32)).shape == (2, grid * grid)


@pytest.mark.parametrize("grid", [2, 3, 5, 12, 128])
def test_a_map_head_refuses_a_grid_it_cannot_make(grid):
    with pytest.raises(InputError, match=f"need a grid of 4, 8, 16, 32 or 64, got {grid}"):
        networks.MapLocationHead(32, grid)


def test_a_map_head_refuses_a_state_it_cannot_lay_out():
    message = "hidden, or lstm where there is one, must be a multiple of 16, got 40"
    with pytest.raises(InputError, match=message):
        networks.MapLocationHead(40, 8)


@pytest.mark.parametrize("mix", [networks.QuickMix, networks.ResidualMix])
def test_a_mix_takes_state_and_choice_into_a_state(mix):
    torch.manual_seed(0)
    mixing, state, chosen = mix(8, 3), torch.randn(4, 8).relu(), torch.eye(3)[[0, 1, 2, 0]]
    mixed = mixing(state, chosen)
    assert mixed.shape == (4, 8)
    assert not torch.allclose(mixed, mixing(state, chosen.roll(1, 0)), atol=1e-3)
    with torch.no_grad():
        for parameter in mixing.parameters():
            parameter.zero_()
    assert torch.equal(mixing(state, chosen), state), "residual: without weights the state stays"


def test_the_state_does_not_grow_along_a_chain_of_quick_mixes():
    torch.manual_seed(0)
    state = torch.randn(64, 32)
    before = state.std()
    for _ in range(7):
        state = networks.QuickMix(32, 4)(state, torch.eye(4)[torch.arange(64) % 4])
    assert state.std() < 4 * before


def test_orthogonal_layers_keep_lengths_up_to_the_gain():
    layer = networks.orthogonal(nn.Linear(6, 6))
    identity = layer.weight @ layer.weight.T / math.sqrt(2) ** 2
    assert torch.allclose(identity, torch.eye(6), atol=1e-5)
    assert not layer.bias.any()
