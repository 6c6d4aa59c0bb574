import math

import pytest
from plotter_programs import polyline, random_program

from spiral import Program
from spiral.canvas import CanvasSpec
from spiral.plotter.clock import _planned, _trapezoid
from spiral.plotter.events import Line, Pause
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


def test_a_right_angle_is_as_fast_as_its_junction_deviation_lets_it():
    half = math.sin(math.radians(45))
    corner = math.sqrt(ACCELERATION * JUNCTION * half / (1 - half))
    side = (
        (SPEED / ACCELERATION)
        + ((SPEED - corner) / ACCELERATION)
        + (100 - (SPEED**2 + SPEED**2 - corner**2) / (2 * ACCELERATION)) / SPEED
    )
    assert seconds([(0, 0), (100, 0), (100, 100)]) == pytest.approx(2 * side)


def test_turning_back_is_a_stop():
    assert seconds([(0, 0), (50, 0), (0, 0)]) == pytest.approx(2 * seconds([(0, 0), (50, 0)]))


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
    assert path.times[-1] - one.after.seconds == pytest.approx(30.0 * pauses)
    slow = load_machine("grbl-servo")
    object.__setattr__(slow, "lift", type(slow.lift)("servo", 300, 700, up_seconds=1.15, down_seconds=2.2))
    quick, delayed = plan(program, load_machine("grbl-servo")).after, plan(program, slow).after
    assert delayed.seconds - quick.seconds == pytest.approx(quick.lifts * 3.0)
