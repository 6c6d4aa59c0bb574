"""Canvases: the surfaces strokes are drawn on, one per file. ``renderer`` is the choice of one by name."""

from collections.abc import Callable

from spiral.errors import InputError
from spiral.registry import Registry

MAX_TIMES = 16


class Renderers(Registry):
    """Renderers by name; ``NAME@K`` is the renderer NAME, drawing K times larger what is then averaged down.

    The name says it all, so that a program, which holds it, replays to the very bytes that were painted.
    """

    def get(self, name: str) -> Callable:
        """What makes a ``Canvas`` of a spec, and of the memory to draw in.

        Raises:
            InputError: no such name; the message lists the known ones.
        """
        base, at, times = str(name).partition("@")
        canvas = super().get(base)
        if not at:
            return canvas
        if times not in map(str, range(2, MAX_TIMES + 1)):
            raise InputError(
                f"unknown renderer {name!r:.60}; after @ comes how many times larger {base} draws, 2 to {MAX_TIMES}, such as "
                f"{base}@4"
            )
        from spiral.supersampled import supersampled  # it imports Pillow

        return supersampled(canvas, int(times))


RENDERERS = Renderers("renderer", "spiral.renderers")
