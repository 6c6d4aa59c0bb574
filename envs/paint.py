"""``spiral/Paint-v0``: one painter, one canvas, as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from spiral.config import EnvConfig
from spiral.envs.episodes import Episodes, Observation
from spiral.envs.options import env_config
from spiral.envs.window import Window
from spiral.errors import InputError
from spiral.program import Program
from spiral.registry import unknown


class PaintEnv(gym.Env):
    """A pen on a canvas: each action paints one stroke or moves the pen; an episode is one painting.

    ## Description
    The environment of arXiv 1804.01118 (SPIRAL), section 4.2: a painting is made of ``episode_length`` actions, and
    what it should look like is the business of whoever trains the painter (a discriminator, or ``reward="l2"``).

    ## Action Space
    ``MultiDiscrete``, parts in this order (see ``spiral.envs.actions`` for what each means):

    | part | values | meaning |
    |---|---|---|
    | flag | 2 | 0 moves the pen to ``end``; 1 paints a quadratic Bezier from the pen to ``end`` |
    | end | grid * grid | cell ``row * grid + column``; the cells cover the canvas, edges included |
    | control | grid * grid | cell of the Bezier's control point |
    | size | len(sizes) | diameter of the brush |
    | pressure | len(pressures) | what it does is ``pressure_controls`` |
    | red, green, blue | color_levels each | colour of the stroke; absent on grey canvases and with a ``palette`` |
    | color | len(palette) | colour of the stroke, one of the ``palette``; only with one |

    Where ``flag`` is 0 only ``flag`` and ``end`` matter. A stroke shorter on paper than ``minimum_mm`` is not painted:
    the pen is moved to ``end``.

    With ``strokes="compound"`` (SPIRAL++) there is no ``control``, and a stroke is painted by several actions. ``flag``
    has 3 values: 1 adds ``end`` to its points, 2 adds it as the last one, 0 moves the pen to ``end`` and chooses size,
    pressure and colour of the strokes to come. It is a cubic spline, drawn when it has its last point, the pen is moved
    or the episode is over; programs hold it as a chain of Beziers (see ``CompoundTable``).

    ## Observation Space
    ``Dict``, H = ``height``, W = ``width``, C = ``channels``:

    | key | space | meaning |
    |---|---|---|
    | canvas | Box uint8 [H, W, C] | what is painted so far |
    | pen | Box float32 [2] in 0..1 | where the pen is, (x right, y down), in canvas fractions |
    | previous | as the action space | the last action; zeros before the first |
    | step | Discrete(episode_length + 1) | actions done |
    | noise | Box float32 [noise_size] | standard normals (sums of twelve uniform numbers), drawn once an episode; absent where 0 |
    | target | Box uint8 [H, W, C] | the picture to paint; only with ``targets`` or ``target=True`` |
    | label | Discrete(classes) | the class of the picture; only with ``labels`` or ``classes`` |

    ## Rewards
    0, or with ``reward="l2"`` the decrease of the mean squared error between canvas and target (values in 0..1) by
    this action. Off this come, with the action that begins a stroke,

    - ``lift_cost`` if the pen was lifted for it: it does not begin where the stroke before it ended, or has another
      colour, which is another pen;
    - ``travel_cost`` for each mm on paper in a straight line from the end of the stroke before it to its beginning;
    - ``stroke_cost`` if the pen was lifted for it, or it is the first stroke of all;
    - ``length_cost`` for each shorter side of the canvas that it is long;

    and ``blank_cost``, with the last action, if the canvas shows nothing but what it showed at the start.

    What the pen does before the first stroke of a program and after its last costs nothing. The canvas's shorter side
    is ``picture_mm`` long on paper.

    ## Rendering
    ``renderer`` is one of ``spiral list renderers``. ``"cairo@4"`` draws 4 times larger what is then averaged down to
    the canvas (2 to 16 times), and so do the episode's programs when they are replayed.

    ## Starting State
    A canvas of the background colour, the pen at ``start``. ``reset(options=...)`` takes ``canvas`` (uint8 [H, W, C],
    a picture to paint on), ``program`` (a ``Program`` or the path of one; its strokes are drawn first and head the
    program of the episode), and ``target`` and ``label`` instead of random ones.

    ## Episode End
    ``terminated`` is True with the action number ``episode_length``; ``truncated`` never is. The ``info`` of that step
    holds the finished painting as ``info["program"]``, a ``spiral.Program``; ``env.unwrapped.program()`` gives what is
    painted so far at any time. Replayed, it is byte for byte the canvas (unless that began as a picture).

    ## Arguments
    ``gym.make("spiral/Paint-v0", width=64, grid=16, ...)`` takes every field of ``spiral.config.EnvConfig``, or a
    whole one as ``config``; ``targets`` (uint8 [M, H, W, C], or the name of a dataset) and ``labels`` (integers [M]), of
    which each episode draws one at random; ``render_mode`` ``"rgb_array"`` (uint8 [H, W, 3]) or ``"human"`` (a window, needs pygame).

    ## Version History
    * v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["human", "rgb_array"], "render_fps": 10}

    def __init__(
        self,
        config: EnvConfig | None = None,
        *,
        targets: np.ndarray | str | None = None,
        labels: Sequence[int] | None = None,
        render_mode: str | None = None,
        **options: Any,
    ):
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.config = env_config(config, options)
        self.render_mode = render_mode
        self._episodes = Episodes(self.config, 1, targets, labels)
        self.config = self._episodes.config
        self._window = Window(self.metadata["render_fps"]) if render_mode == "human" else None
        self.action_space = self._episodes.easel.table.space
        self.observation_space = self._episodes.observation_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        self._episodes.begin([seed], options)
        self._show()
        return self._observation(), {}

    def step(self, action: np.ndarray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        reward = self._episodes.step(np.asarray(action)[np.newaxis])
        self._show()
        done = self._episodes.done
        info = {"program": self.program()} if done else {}
        return self._observation(), float(reward[0]), done, False, info

    def program(self) -> Program:
        """What this episode has painted so far; at the training size it replays byte for byte to the canvas."""
        return self._episodes.program(0)

    def render(self) -> np.ndarray | None:
        """uint8 [H, W, 3] with ``render_mode="rgb_array"``."""
        if self.render_mode == "rgb_array":
            return rgb(self._episodes.easel.canvases())[0]
        return None

    def close(self) -> None:
        if self._window:
            self._window.close()

    def _observation(self) -> Observation:
        return {name: values[0] for name, values in self._episodes.observation().items()}

    def _show(self) -> None:
        if self._window:
            self._window.show(rgb(self._episodes.easel.canvases())[0])


def check_render_mode(render_mode: str | None, known: list[str]) -> None:
    """Refuse an unknown one.

    Raises:
        InputError: it is unknown; the message lists the known ones.
    """
    if render_mode not in (None, *known):
        raise InputError(unknown("render mode", render_mode, known))


def rgb(canvases: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3] from [N, H, W, 1 or 3]."""
    return canvases.repeat(3 // canvases.shape[3], axis=3)
