"""What the writers of all formats have in common."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from spiral.errors import InputError
from spiral.registry import Registry

if TYPE_CHECKING:
    from spiral.plotter.toolpath import Toolpath  # it imports machines, whose dialects are writers

WRITERS = Registry("dialect", "spiral.plotter.writers")
MAX_COMMENT = 60  # characters; GRBL reads lines of at most 80


class Writer(abc.ABC):
    """Prints one toolpath; decides nothing about it.

    Attributes:
        suffixes: of the files it writes.
        for_every_machine: whether it says millimetres to whoever reads them; if not, it is a dialect, and writes for
            machines that speak it.
        lifts: kinds of a machine's lift that it has words for; empty where the kind does not matter.
        keeps_curves: whether it prints curves; otherwise it is given the flattened toolpath.
    """

    suffixes: ClassVar[tuple[str, ...]]
    for_every_machine: ClassVar[bool] = False
    lifts: ClassVar[tuple[str, ...]] = ()
    keeps_curves: ClassVar[bool] = False

    def __init__(self, path: Toolpath):
        self.path = path
        self.machine = path.machine

    @abc.abstractmethod
    def content(self) -> str | bytes:
        """The whole file; equal toolpaths give equal bytes.

        Raises:
            InputError: the format has no words for something in this toolpath.
        """


class LineWriter(Writer):
    """Prints lines, event by event: a subclass has a method for each kind of event it has words for, named like it.

    Attributes:
        index: of the event being printed.
        seconds: when it begins.
    """

    def content(self) -> str:
        lines = [*self.head()]
        now = 0.0
        for index, (event, over) in enumerate(zip(self.path.events, self.path.times, strict=True)):
            self.index, self.seconds = index, now
            write = getattr(self, type(event).__name__.lower(), None)
            lines += write(*event) if write else ()
            now = over
        return "\n".join([*lines, *self.foot(), ""])

    def head(self) -> Iterable[str]:
        return ()

    def foot(self) -> Iterable[str]:
        return ()


def fixed(value: float, digits: int = 3) -> str:
    """A number with a fixed count of decimals, and no minus before zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def harmless(text: str) -> str:
    """Text for a comment or a label: a name from a stranger's file must not become a command."""
    return re.sub(r"[^A-Za-z0-9 _.,:#-]", "_", text)[:MAX_COMMENT]


def no_trays(dialect: str) -> InputError:
    return InputError(
        f'{dialect} has no way to dip a brush; set refill.every to 0 and change.wash to "" in the machine'
    )
