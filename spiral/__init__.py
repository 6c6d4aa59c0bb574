"""SPIRAL: an agent that learns to paint with brush strokes, and the stroke programs it leaves behind.

Ganin et al. 2018, arXiv 1804.01118; Mellor et al. 2019, arXiv 1910.01007.
"""

import importlib

__version__ = "0.1.0"

# Imported when first used, because numpy alone takes longer to import than `spiral --help` may.
_HOMES = {
    "Brush": "spiral.stroke",
    "Point": "spiral.geometry",
    "Program": "spiral.program",
    "Stroke": "spiral.stroke",
    "replay": "spiral.program",
}
__all__ = ["Brush", "Point", "Program", "Stroke", "replay"]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'spiral' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
