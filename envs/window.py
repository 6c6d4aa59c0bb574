"""The window of ``render_mode="human"``."""

from __future__ import annotations

import numpy as np

from spiral.errors import InputError

SMALLEST_SIDE = 512  # pixels on the screen; small canvases are enlarged by a whole factor


class Window:
    """Shows pictures at a given rate; opens with the first one.

    Raises:
        InputError: pygame is not installed.
    """

    def __init__(self, frames_per_second: int):
        try:
            import pygame
        except ImportError:
            raise InputError(
                "render_mode 'human' needs pygame, which is not installed: pip install 'spiral-painter[human]'"
            ) from None
        self._pygame = pygame
        self._frames_per_second = frames_per_second
        self._screen = None

    def show(self, picture: np.ndarray) -> None:
        """A picture, uint8 [H, W, 3]."""
        factor = max(1, round(SMALLEST_SIDE / min(picture.shape[:2])))
        picture = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        if self._screen is None:
            self._pygame.display.init()
            self._pygame.display.set_caption("SPIRAL")
            self._screen = self._pygame.display.set_mode((picture.shape[1], picture.shape[0]))
            self._clock = self._pygame.time.Clock()
        self._pygame.event.pump()
        self._pygame.surfarray.blit_array(self._screen, picture.swapaxes(0, 1))
        self._pygame.display.flip()
        self._clock.tick(self._frames_per_second)

    def close(self) -> None:
        if self._screen is not None:
            self._pygame.display.quit()
            self._screen = None
