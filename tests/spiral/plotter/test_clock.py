import itertools
import math
import random
from dataclasses import replace

import pytest
from plotter_programs import polyline, random_program

from spiral import Program
from spiral.canvas import CanvasSpec
from spiral.plotter.clock import _planned, _trapezoid, times
from spiral.plotter.events import Begin, Curve, Dip, Down, Line, Park, Pause, Select, Travel, Up
from spiral.plotter.machine import load_machine
from spiral.plotter.plan import Options, plan

SPEED, ACCELERATION, JUNCTION = 50.0, 500.0, 0.01  # mm/s, mm/s^2, mm


def seconds(places):
    return sum(_planned([(x, y, 0.0) for x, y in places], SPEED, ACCELERATION, JUNCTION))


def test_a_long_line_speeds_up_goes_on_and_slows_down():
    # 0.1 s and 2.5 mm for each ramp.
    assert seconds([(0, 0), (105, 0)]) == pytest.approx(0.2 + 100 / SPEED)


def test_a_short_line_never_reaches_full_speed():
    assert seconds([(0, 0), (1, 0)]) == pytest.approx(2 * math.sqrt(1 / ACCELERATION))


def test_points_on_a_straight_line_cost_nothing():
    one = seconds([(0, 0), (100, 0)])
    assert seconds([(x, 0) for x in range(101)]) == pytest.approx(one)
    assert seconds([(0, 0), (40, 0), (40, 0), (100, 0)]) == pytest.approx(one)


@pytest.mark.parametrize("angle", [90, 168])
def test_a_corner_is_as_fast_as_its_junction_deviation_lets_it(angle):
    half = math.sin(math.radians(angle / 2))
    corner = math.sqrt(ACCELERATION * JUNCTION * half / (1 - half))
    side = (
        (SPEED / ACCELERATION)
        + ((SPEED - corner) / ACCELERATION)
        + (100 - (SPEED**2 + SPEED**2 - corner**2) / (2 * ACCELERATION)) / SPEED
    )
    x, y = (100 * f(math.radians(180 - angle)) for f in (math.cos, math.sin))
    assert corner < SPEED and seconds([(0, 0), (100, 0), (100 + x, y)]) == pytest.approx(2 * side)


def test_a_corner_of_height_is_a_corner():
    flat = [(0, 0, 0), (50, 50, 0), (100, 0, 0)]
    steep = [(x, 0, y) for x, y, _ in flat]
    assert sum(_planned(steep, SPEED, ACCELERATION, JUNCTION)) == sum(_planned(flat, SPEED, ACCELERATION, JUNCTION))


def test_turning_back_is_a_stop():
    rng = random.Random(0)
    for x, y in ((50, 0), *((rng.random(), rng.random()) for _ in range(100))):  # cosines round to more than 1
        assert seconds([(0, 0), (x, y), (0, 0)]) == pytest.approx(2 * seconds([(0, 0), (x, y)]), rel=1e-4)


def test_the_machine_brakes_in_time_for_a_corner_that_lies_behind_many_short_lines():
    """The last lines are shorter than the braking distance: speeds must be planned backwards over several of them."""
    places = [(0, 0), (100, 0), *((100 + 0.5 * i, 0) for i in range(1, 4))]
    assert seconds(places) == pytest.approx(seconds([(0, 0), (101.5, 0)]))


def test_it_agrees_with_moving_in_tiny_steps_of_time():
    """An independent computation of a trapezoid between two speeds."""
    length, enter, leave, top = 30.0, 10.0, 20.0, 40.0
    at, speed, steps, dt = 0.0, enter, 0, 1e-5
    while at < length:
        braking = (speed**2 - leave**2) / (2 * ACCELERATION)
        speed += (ACCELERATION if length - at > braking else -ACCELERATION) * dt
        speed = min(speed, top)
        at += speed * dt
        steps += 1
    assert _trapezoid(length, enter, leave, top, ACCELERATION) == pytest.approx(steps * dt, rel=1e-3)


def planned(program, machine, **options):
    return plan(program, load_machine(machine), Options(**options)).flat


@pytest.mark.parametrize("machine", ["sheet", "grbl-servo", "grbl-brush", "ur5e"])
def test_times_never_go_back_and_drawing_takes_at_least_its_length_over_the_speed(machine):
    path = planned(random_program(3, strokes=12), machine)
    assert len(path.times) == len(path.events) and list(path.times) == sorted(path.times)
    at, before = path.machine.park, 0.0
    for event, now in zip(path.events, path.times, strict=True):
        if isinstance(event, Line):
            least = math.dist(at, (event.x, event.y)) / (path.machine.speed.draw / 60)
            assert now - before >= least * (1 - 1e-9)
        at = (event.x, event.y) if hasattr(event, "x") else at
        before = now


def test_every_event_takes_the_time_of_its_moves_and_waits():
    brush = load_machine("grbl-brush")
    brush = replace(brush, change=replace(brush.change, seconds=5.0))
    machine = replace(
        brush,
        park=(30.0, 40.0),
        lift=replace(brush.lift, up_seconds=0.25, down_seconds=0.5),
        speed=replace(brush.speed, junction=0.5),
    )
    events = [
        *(Select(0), Dip(30.0, 140.0, "red"), Begin(1), Travel(30.0, 100.0), Down(1.0)),
        *(Line(60.0, 100.0, 0.0), Begin(2), Line(60.0, 120.0, 0.0), Up(), Select(1), Park(0.0, 120.0)),
    ]
    drawing = list(_planned([(30, 100, -3), (60, 100, 0), (60, 120, 0)], 1500 / 60, 300, 0.5))
    expected = [
        *(0.0, straight(100, 4000) + 2 * straight(28, 800) + 0.5 + 1.5 + 0.25, 0.0),
        *(straight(40, 4000), straight(23, 800) + 0.5, drawing[0], 0.0, drawing[1]),
        *(straight(20, 800) + 0.25, 5.0, straight(60, 4000)),
    ]
    assert times(events, machine) == pytest.approx(list(itertools.accumulate(expected)))


def straight(length, speed):
    """Seconds from standstill to standstill at the brush's acceleration; mm, mm/min."""
    return _trapezoid(length, 0.0, 0.0, speed / 60, 300.0)


def test_a_person_takes_the_time_of_the_change_and_the_change_none_of_its_own():
    machine = load_machine("grbl-servo")
    assert times([Select(0), Pause("change"), Select(1)], machine) == (0.0, 30.0, 30.0)


def test_only_lines_have_times():
    with pytest.raises(TypeError, match="only a flattened toolpath has times"):
        times([Curve(0.0, 0.0, 1.0, 1.0, 1.0)], load_machine("sheet"))


def test_a_chain_of_strokes_is_planned_as_one_line():
    straight = [
        Program(CanvasSpec(100, 100, 1), polyline([(0, 0.5), *middle, (1, 0.5)])) for middle in ([], [(0.5, 0.5)])
    ]
    one, two = (planned(program, "grbl-servo").times[-1] for program in straight)
    assert one == pytest.approx(two)


def test_people_and_delays_take_time():
    program = random_program(3, strokes=12)
    path = planned(program, "sheet")
    pauses = sum(isinstance(event, Pause) for event in path.events)
    one = plan(program, load_machine("sheet"))
    assert one.after.pauses == pauses > 0
    assert one.after.seconds == path.times[-1] and one.after.waiting == pytest.approx(30.0 * pauses)
    slow = load_machine("grbl-servo")
    object.__setattr__(slow, "lift", type(slow.lift)("servo", 300, 700, up_seconds=1.15, down_seconds=2.2))
    quick, delayed = plan(program, load_machine("grbl-servo")).after, plan(program, slow).after
    assert delayed.seconds - quick.seconds == pytest.approx(quick.lifts * 3.0)
