"""Objectives: what turns canvases into rewards, one per file."""

from spiral.agents.objectives.base import (
    OBJECTIVES,
    AdversarialObjective,
    Objective,
    TargetObjective,
    check_objective,
)

__all__ = ["OBJECTIVES", "AdversarialObjective", "Objective", "TargetObjective", "check_objective"]
