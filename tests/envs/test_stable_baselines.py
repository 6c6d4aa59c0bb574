"""A stock library trains on the environment unchanged."""

import gymnasium as gym
import numpy as np
import pytest

from spiral.envs.paint import PaintEnv

OPTIONS = {
    "grid": 8,  # 64x64 pixels, the smallest size its convolutional network takes
    "episode_length": 5,
    "targets": np.repeat(np.uint8([[0], [128]]), 64 * 64, axis=0).reshape(2, 64, 64, 1),
    "reward": "l2",
}


@pytest.mark.filterwarnings("error")
def test_its_own_checker_finds_no_fault():
    from stable_baselines3.common.env_checker import check_env

    check_env(PaintEnv(**OPTIONS))


@pytest.fixture
def one_thread():
    """Two threads on networks this small mostly wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_ppo_trains(one_thread):
    from stable_baselines3 import PPO

    env = gym.make("spiral/Paint-v0", **OPTIONS)
    painter = PPO("MultiInputPolicy", env, n_steps=50, batch_size=50, n_epochs=1, seed=0, device="cpu")
    before = {name: values.clone() for name, values in painter.policy.state_dict().items()}
    painter.learn(200)
    after = painter.policy.state_dict()
    assert painter.num_timesteps == 200
    assert any(not before[name].equal(values) for name, values in after.items())
    assert all(values.isfinite().all() for values in after.values())
    action, _ = painter.predict(env.reset(seed=0)[0])
    assert env.action_space.contains(action)
