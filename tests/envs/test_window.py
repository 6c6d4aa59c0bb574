"""``render_mode="human"``, on SDL's dummy display."""

import sys

import numpy as np
import pytest

from spiral.envs.paint import PaintEnv
from spiral.errors import InputError

SMALL = {"width": 64, "height": 32, "grid": 8, "episode_length": 2, "render_mode": "human"}


@pytest.fixture
def pygame(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    return pytest.importorskip("pygame")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_window_shows_the_canvas_enlarged_by_a_whole_factor(pygame, channels):
    env = PaintEnv(**SMALL, channels=channels)
    env.reset(seed=0)
    env.action_space.seed(0)
    observation, *_ = env.step(env.action_space.sample() | np.eye(len(env.action_space.nvec), dtype=int)[0])
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    assert shown.shape == (512, 1024, 3)
    assert np.array_equal(shown[::16, ::16, :channels], observation["canvas"])
    assert (observation["canvas"] < 255).any()
    env.close()
    assert not pygame.display.get_init()
    env.close()


def test_a_window_closed_opens_again(pygame):
    env = PaintEnv(**SMALL)
    env.reset()
    env.close()
    env.reset()
    assert pygame.display.get_init()
    env.close()


def test_without_pygame_the_extra_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(InputError, match=r"needs pygame, .* not installed: pip install 'spiral-painter\[human\]'"):
        PaintEnv(**SMALL)


def test_other_render_modes_do_not_need_pygame(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    PaintEnv(**(SMALL | {"render_mode": "rgb_array"})).reset()
