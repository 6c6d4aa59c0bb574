"""HPGL, as pen plotters have read it since 1976: whole plotter units, y up."""

from __future__ import annotations

from collections.abc import Iterator

from spiral.errors import InputError
from spiral.plotter.writers.base import WRITERS, LineWriter, no_trays

LARGEST = 32_767  # plotter units; what HPGL's integers hold


@WRITERS.register("hpgl")
class Hpgl(LineWriter):
    """HPGL: SP takes a pen from the carousel, PU and PD move it; a plotter without carousel stops for a person there."""

    suffixes = (".hpgl", ".plt", ".hpg")
    lifts = ("pen",)

    def head(self) -> Iterator[str]:
        yield "IN;"
        yield f"VS{max(1, round(self.machine.speed.draw / 600))};"  # cm/s

    def select(self, pen: int) -> list[str]:
        return [f"SP{pen + 1};"]

    def travel(self, x: float, y: float) -> list[str]:
        return [f"PU{self._units(x, y)};"]

    def down(self, pressure: float) -> list[str]:
        return ["PD;"]

    def line(self, x: float, y: float, pressure: float) -> list[str]:
        return [f"PD{self._units(x, y)};"]

    def up(self) -> list[str]:
        return ["PU;"]

    def dip(self, x: float, y: float, tray: str) -> list[str]:
        raise no_trays("HPGL")

    def park(self, x: float, y: float) -> list[str]:
        return self.travel(x, y)

    def foot(self) -> list[str]:
        return ["SP0;"]

    def _units(self, x: float, y: float) -> str:
        units = [round(value * self.machine.units_per_mm) for value in (x, y)]
        if max(map(abs, units)) > LARGEST:
            raise InputError(
                f"({x:.1f}, {y:.1f}) mm is ({units[0]}, {units[1]}) plotter units; HPGL counts to {LARGEST}; "
                "make the picture smaller"
            )
        return f"{units[0]},{units[1]}"
