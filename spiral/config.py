"""Every setting of a run: frozen dataclasses, named presets in TOML, ``key=value`` overrides.

Values marked *paper* are Ganin et al. 2018 (arXiv 1804.01118), *released code* DeepMind's sampling-only release,
*ours* were chosen by measurement (RESULTS.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from spiral.errors import InputError

PRESSURE_CONTROLS = ("opacity", "width", "taper")
REWARDS = ("none", "l2")


@dataclass(frozen=True)
class EnvConfig:
    """The canvas, the brush and the length of a painting.

    Defaults are the paper's where it gives them (section 4.2): 64x64, a 32x32 grid, 20 strokes.
    """

    width: int = 64  # pixels, 16..1024
    height: int = 64
    channels: int = 1  # 1 grey, 3 RGB
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)  # r, g, b in 0..1
    ink: tuple[float, float, float] = (0.0, 0.0, 0.0)  # colour of every stroke where there are no colour parts (grey canvas)
    renderer: str = "cairo"
    grid: int = 32  # K: `end` and `control` choose one of K x K cells; 2..64
    episode_length: int = 20  # actions in one painting, 1..1000
    # Brush diameters as fractions of the canvas's shorter side; released code: 1..24 px at 64 px.
    sizes: tuple[float, ...] = (1 / 64, 2 / 64, 4 / 64, 8 / 64, 12 / 64, 24 / 64)
    pressures: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # released code: ten levels
    pressure_controls: str = "taper"  # what pressure changes: opacity, width, or width along the stroke (taper)
    color_levels: int = 20  # paper: levels of red, green and blue each
    noise_size: int = 10  # standard normals drawn once an episode; released code: 10; 0 leaves `noise` out
    start: tuple[float, float] = (0.0, 0.0)  # where the pen is at first, canvas fractions; paper: top-left corner
    reward: str = "none"  # "l2": decrease of the squared error to `target` at each step
