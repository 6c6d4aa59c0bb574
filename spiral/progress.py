"""What a user sees of work that takes seconds: a bar with the time left on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

import click

Watch = Callable[[Iterable, int], Iterable]
"""Gives items on, one after the other, and may show how many of so many are done."""


def unwatched(items: Iterable, count: int) -> Iterable:
    """A `Watch` that shows nothing."""
    return items


def bar(items: Iterable, count: int) -> Iterator:
    """A `Watch` that draws a bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, length=count, file=sys.stderr) as shown:
        yield from shown
