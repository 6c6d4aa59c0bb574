"""What was measured, as text for people and as values for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from spiral.bench.measure import Figure, Measured, Result


def text(part: str, meaning: str, result: Result) -> str:
    """A part's result in two aligned tables, with how to read them."""
    blocks = [f"{part}: {meaning}", _aligned(_measured_rows(result.measured), left=(0, 1))]
    if result.figures:
        blocks.append(_aligned(_figure_rows(result.figures), left=(0, 1, 5)))
    blocks += [f"  {note}" for note in result.notes]
    return "\n".join(blocks)


def _measured_rows(measured: Sequence[Measured]) -> list[list[str]]:
    unit = measured[0].unit
    rows = [["", "", f"{unit}/CPU s", f"{unit}/s", f"CPU ms/1,000 {unit}", "spread"]]
    for each, before in zip(measured, [None, *measured], strict=False):
        rows.append(
            [
                each.case if before is None or before.case != each.case else "",
                each.variant,
                f"{each.per_cpu_second:,.0f}",
                f"{each.per_second:,.0f}",
                f"{each.cpu_ms:,.1f}",
                _spread(each.spread),
            ]
        )
    return rows


def _figure_rows(figures: Sequence[Figure]) -> list[list[str]]:
    rows = [["", "", "", "spread", "aim", ""]]
    for each, before in zip(figures, [None, *figures], strict=False):
        value = f"{each.value:.2f} x" if each.unit == "x" else f"{each.value:,.0f} {each.unit}"
        reached = {True: "reached", False: "not reached", None: ""}[each.reached]
        case = each.case if before is None or before.case != each.case else ""
        rows.append([case, each.name, value, _spread(each.spread), _aim(each), reached])
    return rows


def _aim(figure: Figure) -> str:
    if figure.at_most is not None:
        return f"at most {figure.at_most:,g}"
    return "" if figure.at_least is None else f"at least {figure.at_least:,g}"


def _spread(share: float | None) -> str:
    return "" if share is None else f"±{share:.0%}"


def _aligned(rows: list[list[str]], left: Sequence[int]) -> str:
    """Columns of text, those of words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def values(result: Result) -> dict[str, Any]:
    """A part's result as JSON holds it: every round, the medians, and what follows."""
    return {
        "measured": [
            {
                "case": each.case,
                "variant": each.variant,
                "unit": each.unit,
                "per_cpu_second": each.per_cpu_second,
                "per_second": each.per_second,
                "cpu_ms_per_1000": each.cpu_ms,
                "spread": each.spread,
                "rounds": [one._asdict() for one in each.rounds],
            }
            for each in result.measured
        ],
        "figures": [dataclasses.asdict(each) | {"reached": each.reached} for each in result.figures],
        "notes": result.notes,
    }
