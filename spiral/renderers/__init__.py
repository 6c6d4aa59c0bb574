"""Canvases: the surfaces strokes are drawn on, one per file. ``renderer`` is the choice of one by name."""

from spiral.registry import Registry

RENDERERS = Registry("renderer", "spiral.renderers")
