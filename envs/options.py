"""The environment's options: which there are (``EnvConfig``) and which values each accepts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from spiral import checks
from spiral.canvas import CanvasSpec
from spiral.config import PRESSURE_CONTROLS, REWARDS, STROKES, EnvConfig
from spiral.errors import InputError
from spiral.program import MAX_PAINTED_SIDE, MIN_PAINTED_SIDE
from spiral.registry import unknown
from spiral.renderers import RENDERERS

OPTIONS = [field.name for field in dataclasses.fields(EnvConfig)]
INTEGERS = {
    "width": (MIN_PAINTED_SIDE, MAX_PAINTED_SIDE),
    "height": (MIN_PAINTED_SIDE, MAX_PAINTED_SIDE),
    "grid": (2, 64),
    "episode_length": (1, 1000),
    "color_levels": (1, 256),
    "noise_size": (0, 1024),
    "classes": (0, 100_000),
}
MAX_PICTURE_MM = 100_000.0
COSTS = [name for name in OPTIONS if name.endswith("_cost")]
MAX_COST = 1000.0
MAX_PENS = 256


def env_config(config: EnvConfig | None, options: dict[str, Any]) -> EnvConfig:
    """``config`` (the defaults if None) with ``options`` put in, every value checked; lists become tuples.

    Raises:
        InputError: an option nobody knows, or a value out of its range; the message says what is accepted.
    """
    for name in options:
        if name not in OPTIONS:
            raise InputError(unknown("environment option", name, OPTIONS))
    config = dataclasses.replace(config or EnvConfig(), **options)
    values = {name: checks.integer(getattr(config, name), name, *limits) for name, limits in INTEGERS.items()}
    spec = CanvasSpec(values["width"], values["height"], config.channels, config.background)
    ink = checks.color(config.ink, "ink")
    spec.check_color(ink, "ink")
    picture_mm = checks.number(config.picture_mm, "picture_mm", 0.0, MAX_PICTURE_MM, low_included=False)
    return dataclasses.replace(
        config,
        **values,
        background=spec.background,
        ink=ink,
        palette=_palette(config.palette, spec),
        start=checks.numbers_of(config.start, "start", ("x", "y"), 0.0, 1.0),
        sizes=_levels(config.sizes, "sizes"),
        pressures=_levels(config.pressures, "pressures"),
        renderer=_renderer(config.renderer),
        pressure_controls=_choice(config.pressure_controls, "pressure control", PRESSURE_CONTROLS),
        strokes=_strokes(config),
        reward=_choice(config.reward, "reward", REWARDS),
        target=checks.boolean(config.target, "target"),
        picture_mm=picture_mm,
        minimum_mm=checks.number(config.minimum_mm, "minimum_mm", 0.0, picture_mm),
        **{name: checks.number(getattr(config, name), name, 0.0, MAX_COST) for name in COSTS},
    )


def _levels(values: Sequence[float], name: str) -> tuple[float, ...]:
    if not isinstance(values, list | tuple) or not values:
        raise InputError(f"{name} must be a list of one or more numbers, got {values!r}")
    return tuple(checks.number(value, f"{name}[{i}]", 0.0, 1.0, low_included=False) for i, value in enumerate(values))


def _palette(colors: Sequence[Sequence[float]] | None, spec: CanvasSpec) -> tuple[tuple[float, ...], ...] | None:
    if colors is None:
        return None
    if not isinstance(colors, list | tuple) or not 0 < len(colors) <= MAX_PENS:
        raise InputError(
            f"palette must be a list of 1 to {MAX_PENS} colours [red, green, blue], or None, got {colors!r:.60}"
        )
    palette = tuple(checks.color(color, f"palette[{i}]") for i, color in enumerate(colors))
    for i, color in enumerate(palette):
        spec.check_color(color, f"palette[{i}]")
    return palette


def _renderer(name: str) -> str:
    RENDERERS.get(name)
    return name


def _strokes(config: EnvConfig) -> str:
    if config.strokes == "compound" and config.pressure_controls == "opacity":
        raise InputError(
            "strokes 'compound' are chains of curves, which would show where they overlap with pressure_controls "
            "'opacity'; take 'width' or 'taper', or strokes 'simple'"
        )
    return _choice(config.strokes, "kind of strokes", STROKES)


def _choice(value: str, kind: str, known: Sequence[str]) -> str:
    if value not in known:
        raise InputError(unknown(kind, value, list(known)))
    return value
