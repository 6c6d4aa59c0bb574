"""Painting as a Gymnasium environment: importing this package registers ``spiral/Paint-v0``."""

from gymnasium.envs.registration import register

from spiral.envs.easel import ENVIRONMENT

register(
    id=ENVIRONMENT,
    entry_point="spiral.envs.paint:PaintEnv",
    vector_entry_point="spiral.envs.vector:PaintVectorEnv",
)
