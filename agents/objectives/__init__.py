"""Objectives: what turns canvases into rewards, one per file."""

from spiral.agents.objectives.base import OBJECTIVES, Objective

__all__ = ["OBJECTIVES", "Objective"]
