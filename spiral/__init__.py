"""SPIRAL: an agent that learns to paint with brush strokes, and the stroke programs it leaves behind.

Ganin et al. 2018, arXiv 1804.01118; Mellor et al. 2019, arXiv 1910.01007.
"""

from spiral.geometry import Point
from spiral.program import Program, replay
from spiral.stroke import Brush, Stroke

__all__ = ["Brush", "Point", "Program", "Stroke", "replay"]
__version__ = "0.1.0"
