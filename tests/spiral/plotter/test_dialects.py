"""Every word of every dialect: one short toolpath, written out in full."""

from dataclasses import replace

import pytest
from plotter_programs import BLACK, RED, polyline

from spiral import Program
from spiral.canvas import CanvasSpec
from spiral.plotter.events import Begin, Dip, Down, Line, Park, Pause, Select, Travel, Up
from spiral.plotter.machine import load_machine
from spiral.plotter.plan import plan
from spiral.plotter.writers import WRITERS

EVENTS = (
    *(Select(0), Dip(40.0, 40.0, "black"), Begin(1), Travel(100.0, 50.0), Down(0.5), Line(110.0, 50.0, 1.0)),
    *(Begin(2), Line(110.0, 60.00004, 1.0), Line(110.0, 60.0, 1.0), Up(), Pause("change to pen 2: red"), Select(1)),
    *(Begin(3), Travel(-1e-5, 50.0), Down(1.0), Line(0.0, 50.0, 0.125), Up(), Park(1.0, 2.0)),
)
BRUSH = load_machine("grbl-brush")
BRUSH = replace(BRUSH, change=replace(BRUSH.change, seconds=5.0))
BRUSH = replace(BRUSH, park=(1.0, 2.0), lift=replace(BRUSH.lift, up_seconds=0.25, down_seconds=0.5))
SERVO = replace(BRUSH, lift=replace(BRUSH.lift, kind="servo", up=300.5, down=700.0, servo=3))

EXPECTED = {
    "grbl": """
(spiral-painter, machine grbl-brush)
(estimate 30.9 s)
G21
G90
G1 Z20.000 F800
G4 P0.250
(pen 1: black)
(dip black)
G0 X40.000 Y40.000
G1 Z-8.000
G4 P2.000
G1 Z20.000
G4 P0.250
(stroke 1 at 7.6 s)
G0 X100.000 Y50.000
G1 Z-1.500
G4 P0.500
G1 X110.000 Y50.000 Z-3.000 F1500
(stroke 2 at 11.3 s)
G1 X110.000 Y60.000
G1 Z20.000 F800
G4 P0.250
(pause: change to pen 2: red)
M0
(pen 2: red)
(stroke 3 at 23.8 s)
G0 X0.000 Y50.000
G1 Z-3.000
G4 P0.500
G1 X0.000 Y50.000 Z-0.375 F1500
G1 Z20.000 F800
G4 P0.250
(end at 30.0 s)
G0 X1.000 Y2.000
""",
    "grbl, servo": """
(spiral-painter, machine grbl-brush)
(estimate 19.7 s)
G21
G90
M3 S300.5
G4 P0.250
(pen 1: black)
(dip black)
G0 X40.000 Y40.000
M3 S700
G4 P2.000
M3 S300.5
G4 P0.250
(stroke 1 at 3.3 s)
G0 X100.000 Y50.000
M3 S700
G4 P0.500
G1 X110.000 Y50.000 F1500
(stroke 2 at 5.4 s)
G1 X110.000 Y60.000
M3 S300.5
G4 P0.250
(pause: change to pen 2: red)
M0
(pen 2: red)
(stroke 3 at 16.1 s)
G0 X0.000 Y50.000
M3 S700
G4 P0.500
M3 S300.5
G4 P0.250
(end at 18.8 s)
G0 X1.000 Y2.000
""",
    "marlin, servo": """
; spiral-painter, machine grbl-brush
; estimate 19.7 s
G21
G90
M400
M280 P3 S300.5
G4 P250
; pen 1: black
; dip black
G0 X40.000 Y40.000 F4000
M400
M280 P3 S700
G4 P2000
M400
M280 P3 S300.5
G4 P250
; stroke 1 at 3.3 s
G0 X100.000 Y50.000
M400
M280 P3 S700
G4 P500
G1 X110.000 Y50.000 F1500
; stroke 2 at 5.4 s
G1 X110.000 Y60.000
M400
M280 P3 S300.5
G4 P250
; pause: change to pen 2: red
M0
; pen 2: red
; stroke 3 at 16.1 s
G0 X0.000 Y50.000 F4000
M400
M280 P3 S700
G4 P500
M400
M280 P3 S300.5
G4 P250
; end at 18.8 s
G0 X1.000 Y2.000
""",
    "hpgl": """
IN;
VS20;
SP1;
PU4000,2000;
PD;
PD4400,2000;
PD4400,2400;
PD4400,2400;
PU;
SP2;
PU0,2000;
PD;
PD0,2000;
PU;
PU40,80;
SP0;
""",
    "urscript": """
def spiral_painting():
  # machine grbl-brush, about 31 s
  plane = p[0.300000, -0.200000, 0.050000, 0.000000, 0.000000, 0.000000]
  here = pose_trans(pose_inv(plane), get_actual_tcp_pose())
  if here[2] < 0.020000:
    movel(pose_trans(plane, p[here[0], here[1], 0.020000, here[3], here[4], here[5]]), a=0.300, v=0.0133)
  end
  movel(pose_trans(plane, p[0.001000, 0.002000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0667)
  # pen 1: black
  # dip black
  movel(pose_trans(plane, p[0.040000, 0.040000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0667)
  movel(pose_trans(plane, p[0.040000, 0.040000, -0.008000, 3.141593, 0, 0]), a=0.300, v=0.0133)
  sleep(2.00)
  movel(pose_trans(plane, p[0.040000, 0.040000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0133)
  sleep(0.25)
  textmsg("stroke 1")
  movel(pose_trans(plane, p[0.100000, 0.050000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0667)
  movel(pose_trans(plane, p[0.100000, 0.050000, -0.001500, 3.141593, 0, 0]), a=0.300, v=0.0133)
  sleep(0.50)
  movep(pose_trans(plane, p[0.110000, 0.050000, -0.003000, 3.141593, 0, 0]), a=0.300, v=0.0250, r=0.000500)
  textmsg("stroke 2")
  movep(pose_trans(plane, p[0.110000, 0.060000, -0.003000, 3.141593, 0, 0]), a=0.300, v=0.0250, r=0.000000)
  movep(pose_trans(plane, p[0.110000, 0.060000, -0.003000, 3.141593, 0, 0]), a=0.300, v=0.0250, r=0.000000)
  movel(pose_trans(plane, p[0.110000, 0.060000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0133)
  sleep(0.25)
  popup("change to pen 2: red", title="SPIRAL", blocking=True)
  # pen 2: red
  textmsg("stroke 3")
  movel(pose_trans(plane, p[0.000000, 0.050000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0667)
  movel(pose_trans(plane, p[0.000000, 0.050000, -0.003000, 3.141593, 0, 0]), a=0.300, v=0.0133)
  sleep(0.50)
  movep(pose_trans(plane, p[0.000000, 0.050000, -0.000375, 3.141593, 0, 0]), a=0.300, v=0.0250, r=0.000000)
  movel(pose_trans(plane, p[0.000000, 0.050000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0133)
  sleep(0.25)
  movel(pose_trans(plane, p[0.001000, 0.002000, 0.020000, 3.141593, 0, 0]), a=0.300, v=0.0667)
end
spiral_painting()
""",
    "csv": """
t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw,pressure,stroke,pen,event
0.0,1.0,2.0,20.0,1.0,0.0,0.0,0.0,,,,park
1.039,40.0,40.0,20.0,1.0,0.0,0.0,0.0,,,1,travel
3.683,40.0,40.0,-8.0,1.0,0.0,0.0,0.0,,,1,dip black
5.183,40.0,40.0,-8.0,1.0,0.0,0.0,0.0,,,1,dip black
7.578,40.0,40.0,20.0,1.0,0.0,0.0,0.0,,,1,up
8.713,100.0,50.0,20.0,1.0,0.0,0.0,0.0,,,1,travel
10.869,100.0,50.0,-1.5,1.0,0.0,0.0,0.0,0.5,1,1,down
11.349,110.0,50.0,-3.0,1.0,0.0,0.0,0.0,1.0,1,1,line
11.824,110.0,60.0,-3.0,1.0,0.0,0.0,0.0,1.0,2,1,line
11.824,110.0,60.0,-3.0,1.0,0.0,0.0,0.0,1.0,2,1,line
13.844,110.0,60.0,20.0,1.0,0.0,0.0,0.0,,,1,up
18.844,110.0,60.0,20.0,1.0,0.0,0.0,0.0,,,1,change to pen 2: red
25.723,0.0,50.0,20.0,1.0,0.0,0.0,0.0,,,2,travel
27.992,0.0,50.0,-3.0,1.0,0.0,0.0,0.0,1.0,3,2,down
28.181,0.0,50.0,-0.375,1.0,0.0,0.0,0.0,0.125,3,2,line
30.003,0.0,50.0,20.0,1.0,0.0,0.0,0.0,,,2,up
30.946,1.0,2.0,20.0,1.0,0.0,0.0,0.0,,,2,park
""",
    "csv, servo": """
t_s,x_mm,y_mm,z_mm,qx,qy,qz,qw,pressure,stroke,pen,event
0.0,1.0,2.0,5.0,1.0,0.0,0.0,0.0,,,,park
1.039,40.0,40.0,5.0,1.0,0.0,0.0,0.0,,,1,travel
1.539,40.0,40.0,0.0,1.0,0.0,0.0,0.0,,,1,dip black
3.039,40.0,40.0,0.0,1.0,0.0,0.0,0.0,,,1,dip black
3.289,40.0,40.0,5.0,1.0,0.0,0.0,0.0,,,1,up
4.424,100.0,50.0,5.0,1.0,0.0,0.0,0.0,,,1,travel
4.924,100.0,50.0,0.0,1.0,0.0,0.0,0.0,0.5,1,1,down
5.398,110.0,50.0,0.0,1.0,0.0,0.0,0.0,1.0,1,1,line
5.873,110.0,60.0,0.0,1.0,0.0,0.0,0.0,1.0,2,1,line
5.874,110.0,60.0,0.0,1.0,0.0,0.0,0.0,1.0,2,1,line
6.124,110.0,60.0,5.0,1.0,0.0,0.0,0.0,,,1,up
11.124,110.0,60.0,5.0,1.0,0.0,0.0,0.0,,,1,change to pen 2: red
18.003,0.0,50.0,5.0,1.0,0.0,0.0,0.0,,,2,travel
18.503,0.0,50.0,0.0,1.0,0.0,0.0,0.0,1.0,3,2,down
18.503,0.0,50.0,0.0,1.0,0.0,0.0,0.0,0.125,3,2,line
18.753,0.0,50.0,5.0,1.0,0.0,0.0,0.0,,,2,up
19.696,1.0,2.0,5.0,1.0,0.0,0.0,0.0,,,2,park
""",
}
MACHINES = {
    "hpgl": load_machine("hpgl-a4"),
    "grbl, servo": SERVO,
    "marlin, servo": SERVO,
    "csv, servo": SERVO,
    "urscript": replace(BRUSH, arm=load_machine("ur5e").arm),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_toolpath_in_full(name):
    strokes = [*polyline([(0, 0), (1, 0)], color=BLACK), *polyline([(0, 1), (1, 1)], color=RED)]
    path = plan(Program(CanvasSpec(16, 16, 3), strokes), load_machine("grbl-brush")).flat
    events = [event for event in EVENTS if name != "hpgl" or not isinstance(event, Dip)]  # HPGL cannot dip
    path = replace(path, machine=MACHINES.get(name, BRUSH), events=tuple(events))
    assert WRITERS.get(name.partition(",")[0])(path).content() == EXPECTED[name].removeprefix("\n")
