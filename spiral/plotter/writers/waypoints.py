"""Way-points as CSV and JSON: when the tool is where, for robots and programs that plan their own motion."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from spiral.plotter.clock import dipping
from spiral.plotter.events import Begin, Dip, Down, Line, Park, Pause, Select, Travel, Up
from spiral.plotter.writers.base import WRITERS, Writer

COLUMNS = ("t_s", "x_mm", "y_mm", "z_mm", "qx", "qy", "qz", "qw", "pressure", "stroke", "pen", "event")
POINTING_DOWN = (1.0, 0.0, 0.0, 0.0)  # quaternion x, y, z, w: half a turn about the x axis of the paper
HOVER = 5.0  # mm above the paper, for machines without a z axis
FORMAT = "spiral-waypoints"


class Waypoints(Writer):
    """The way-points as rows; a subclass says how they are written down."""

    for_every_machine = True

    def rows(self) -> Iterator[tuple]:
        """One for each place the tool comes to and each pause, with the values of ``COLUMNS``.

        ``stroke`` is the number in the order of drawing, from 1, while one is drawn; ``pen`` counts from 1.
        """
        machine, up = self.machine, self._height(None)
        x, y = machine.park
        pen = stroke = pressure = None
        yield self._row(0.0, x, y, up, None, None, None, "park")
        for event, t in zip(self.path.events, self.path.times, strict=True):
            if isinstance(event, Select):
                pen = event.pen + 1
            elif isinstance(event, Begin):
                stroke = event.number
            elif isinstance(event, Pause):
                yield self._row(t, x, y, up, None, None, pen, event.text)
            elif isinstance(event, Dip):
                x, y = event.x, event.y
                depth = machine.refill.depth if machine.lift.kind == "z" else self._height(0.0)
                lowering, resting, raising = dipping(machine)
                in_tray = t - raising
                # Straight down and straight up: what goes from row to row must not sweep over the tray's rim.
                yield self._row(in_tray - resting - lowering, x, y, up, None, None, pen, "travel")
                yield self._row(in_tray - resting, x, y, depth, None, None, pen, f"dip {event.tray}")
                yield self._row(in_tray, x, y, depth, None, None, pen, f"dip {event.tray}")
                yield self._row(t, x, y, up, None, None, pen, "up")
            else:
                if isinstance(event, Down | Line):
                    pressure = event.pressure
                elif isinstance(event, Up):
                    pressure = None
                if isinstance(event, Travel | Line | Park):
                    x, y = event.x, event.y
                drawn = None if pressure is None else stroke
                yield self._row(t, x, y, self._height(pressure), pressure, drawn, pen, type(event).__name__.lower())

    def _height(self, pressure: float | None) -> float:
        if self.machine.lift.kind != "z":
            return HOVER if pressure is None else 0.0
        return self.machine.lift.up if pressure is None else self.machine.height(pressure)

    @staticmethod
    def _row(t, x, y, z, pressure, stroke, pen, event) -> tuple:
        t, x, y, z = (round(value, 3) + 0.0 for value in (t, x, y, z))
        pressure = None if pressure is None else round(pressure, 3)
        return (t, x, y, z, *POINTING_DOWN, pressure, stroke, pen, event)


@WRITERS.register("csv")
class CsvWaypoints(Waypoints):
    """Way-points with times as CSV: t, x, y, z, orientation, pressure, stroke, pen, event."""

    suffixes = (".csv",)

    def content(self) -> str:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(self.rows())
        return text.getvalue()


@WRITERS.register("json")
class JsonWaypoints(Waypoints):
    """Way-points with times as JSON, with the machine, the pens and the units."""

    suffixes = (".json",)

    def content(self) -> str:
        head = {
            "format": FORMAT,
            "version": 1,
            "machine": self.machine.name,
            "pens": [{"name": pen.name, "color": pen.color, "width_mm": pen.width} for pen in self.path.pens],
            "columns": COLUMNS,
        }
        lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
        rows = ",\n".join(f"  {json.dumps(row)}" for row in self.rows())
        return "\n".join(["{", *lines, ' "waypoints": [', rows, " ]", "}", ""])
