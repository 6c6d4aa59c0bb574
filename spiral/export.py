"""From a stroke program to files for a plotter or robot arm."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from spiral.arrange import arranged
from spiral.errors import InputError
from spiral.files import refuse_to_overwrite, written_whole
from spiral.interchange import Losses, load_drawing
from spiral.plotter.machine import Machine, load_machine, machine_names
from spiral.plotter.marks import check_on_canvas, clipped
from spiral.plotter.plan import Options, Plan, plan
from spiral.plotter.report import rows
from spiral.plotter.writers import WRITERS, Writer
from spiral.program import Program
from spiral.words import clock, counted

DEFAULT_MACHINE = "sheet"


def export(
    program: Program, outputs: Sequence[str | os.PathLike], machine: str | None = None, options: Options | None = None
) -> Plan:
    """Write files that draw a program on a machine; nothing is written before every move of it is checked.

    Args:
        program: what to draw.
        outputs: the files; each suffix says the format.
        machine: a name, or the path of a ``.toml`` file; a sheet of paper where None, for formats that need no more.
        options: how it comes to paper.

    Raises:
        InputError: no such machine, a suffix it cannot read, an option that is not accepted, a move outside its work
            area, or a file that cannot be written. Then none is.
    """
    chosen = load_machine(machine or _default_machine(outputs))
    writers = [writer_for(output, chosen) for output in outputs]
    planned = plan(program, chosen, options)
    contents = [writer(planned.path if writer.keeps_curves else planned.flat).content() for writer in writers]
    with contextlib.ExitStack() as all_or_none:
        for output, content in dict(zip(outputs, contents, strict=True)).items():
            beside = all_or_none.enter_context(written_whole(output))
            beside.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return planned


def export_files(
    sources: Sequence[str | os.PathLike],
    outputs: Sequence[str | os.PathLike],
    machine: str | None = None,
    options: Options | None = None,
    drawing: int | None = None,
) -> Plan:
    """``export`` of drawings in files of any format that ``spiral.interchange`` reads; other arguments as there.

    Args:
        sources: the files; several are arranged on one canvas, row by row.
        drawing: which one of each file, from 0; the first where None.

    Raises:
        InputError: as of ``export``, a file is no drawing, or it would be overwritten.
    """
    drawings = [load_drawing(source, drawing) for source in sources]
    losses = Losses()
    for one in drawings:
        losses.update(one.losses)
    refuse_to_overwrite(sources, outputs)
    programs = [one.program for one in drawings]
    if len(programs) > 1:  # none may paint on its neighbour
        clip = options is not None and options.clip
        programs = [_within(program, source, clip) for program, source in zip(programs, sources, strict=True)]
    planned = export(arranged(programs, [str(source) for source in sources]), outputs, machine, options)
    return planned._replace(notes=(*losses.sentences(), *planned.notes))


def _within(program: Program, source: str | os.PathLike, clip: bool) -> Program:
    """The program, no stroke of which leaves its canvas."""
    if clip:
        return clipped(program)
    try:
        check_on_canvas(program)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    return program


def writer_for(output: str | os.PathLike, machine: Machine) -> type[Writer]:
    """What writes a file of this suffix for this machine.

    Raises:
        InputError: nothing writes such files, or the machine does not read them, or its dialect is unknown or
            does not fit its lift.
    """
    fitting = _writers_of(output)
    try:
        own = WRITERS.get(machine.dialect)
    except InputError as error:
        raise InputError(f"machine {machine.name}: {error}") from None
    if own in fitting.values():
        if own.lifts and machine.lift.kind not in own.lifts:
            raise InputError(
                f"machine {machine.name}: lift.kind is {machine.lift.kind!r}; {machine.dialect} knows "
                f"{' and '.join(map(repr, own.lifts))}"
            )
        return own
    for writer in fitting.values():
        if writer.for_every_machine:
            return writer
    raise InputError(
        f"machine {machine.name} does not read {output}: it speaks {machine.dialect}; write {' or '.join(own.suffixes)}, or "
        f"choose another machine: {', '.join(_machines_for(fitting))}"
    )


def _writers_of(output: str | os.PathLike) -> dict[str, type[Writer]]:
    suffix = Path(output).suffix.lower()
    every = {name: WRITERS.get(name) for name in WRITERS.names()}
    fitting = {name: writer for name, writer in every.items() if suffix in writer.suffixes}
    if not fitting:
        known = dict.fromkeys(suffix for writer in every.values() for suffix in writer.suffixes)
        raise InputError(f"cannot write {output}: unknown suffix {suffix!r}; accepted: {', '.join(known)}")
    return fitting


def _machines_for(dialects: Sequence[str]) -> list[str]:
    return [name for name in machine_names() if load_machine(name).dialect in dialects]


def _default_machine(outputs: Sequence[str | os.PathLike]) -> str:
    for output in outputs:
        fitting = _writers_of(output)
        if not any(writer.for_every_machine for writer in fitting.values()):
            raise InputError(
                f"{output} is written for one machine; say which by --machine: {', '.join(_machines_for(fitting))}, "
                "or a .toml file of your own"
            )
    return DEFAULT_MACHINE


def summary(planned: Plan) -> str:
    """A line on what the machine will do."""
    one = planned.after
    changes = f", {counted(one.pen_changes, 'pen change')}" if one.pen_changes else ""
    return (
        f"{counted(one.strokes, 'stroke')}, {one.ink / 1000:.2f} m of ink, {one.travel / 1000:.2f} m of travel, "
        f"{counted(one.lifts, 'lift')}{changes}, about {clock(one.seconds)}"
    )


def table(planned: Plan) -> str:
    """The figures as lines: in the program's own order and as planned, where these differ."""
    before, after = rows(planned.before), rows(planned.after)
    same = planned.before == planned.after
    width = max(len(name) for name, _ in after)
    left = max(len(value) for _, value in before)
    lines = [] if same else [f"{'':{width}}  {'as painted':{left}}  as planned"]
    for (name, was), (_, value) in zip(before, after, strict=True):
        lines.append(f"{name:{width}}  {value}" if same else f"{name:{width}}  {was:{left}}  {value}")
    pens = (
        f"pen {i}: {pen.name}" + (f", {pen.width:g} mm" if pen.width else "")
        for i, pen in enumerate(planned.path.pens, 1)
    )
    return "\n".join([*lines, *pens])


def to_dict(planned: Plan) -> dict:
    """Everything a program may want to know: plain values, as JSON holds them."""
    path = planned.path
    return {
        "machine": path.machine.name,
        "page_mm": [path.frame.page.width, path.frame.page.height],
        "picture_mm": [path.frame.left, path.frame.top, path.frame.width, path.frame.height],
        "pens": [{"name": pen.name, "color": pen.color, "width_mm": pen.width} for pen in path.pens],
        "before": planned.before._asdict(),
        "after": planned.after._asdict(),
        "order": list(planned.order),
        "notes": list(planned.notes),
    }
