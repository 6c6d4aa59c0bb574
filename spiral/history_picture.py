"""A picture of a population: how good its members were, with which settings, and who went on from whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spiral.files import written_whole
from spiral.population import History, Record


def draw_history(history: History, lineage: Sequence[Record], title: str, path: Path) -> None:
    """Draw fitness, learning rate and entropy of all members against generations, those of a lineage in bold.

    Args:
        history: of a population.
        lineage: of one painter in it.
        title: of the fitness.
        path: of the picture, ``.png``.

    Raises:
        WriteError: it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 9), layout="constrained")
    panels = {"fitness": title, "learning_rate": "learning rate", "entropy": "entropy cost"}
    for axes, (name, label) in zip(figure.subplots(len(panels), sharex=True), panels.items()):
        for record in history.records:
            _draw_step(axes, history, record, name, f"C{record.member % 10}", 1.0)
        for record in lineage:
            _draw_step(axes, history, record, name, "black", 2.5)
        axes.set_ylabel(f"{label}, lower is better" if name == "fitness" else label)
        axes.set_yscale("linear" if name == "fitness" else "log")
        axes.grid(alpha=0.3)
    axes.set_xlabel("generation (each member has a colour; bold: what led to the best painter)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    with written_whole(path) as beside:
        figure.savefig(beside, dpi=110)


def _draw_step(axes, history: History, record: Record, name: str, color: str, width: float) -> None:
    """One member's point at the end of a generation, and the line to it from the painter it went on from."""
    before = [one for one in history.of(record.generation - 1) if one.member == record.origin]
    points = [one for one in (*before, record) if getattr(one, name) is not None]
    if record in points:
        axes.plot(
            [one.generation for one in points],
            [getattr(one, name) for one in points],
            ".-",
            color=color,
            linewidth=width,
            zorder=1 + width,
        )
