"""Files a machine reads, one format per file: each prints a toolpath as it is and decides nothing."""

from spiral.registry import Registry

WRITERS = Registry("dialect", "spiral.plotter.writers")
