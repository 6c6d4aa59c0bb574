"""Files that a machine or a person reads, one format per file: each prints a toolpath as it is and decides nothing."""

from spiral.plotter.writers.base import WRITERS, LineWriter, Writer

__all__ = ["WRITERS", "LineWriter", "Writer"]
