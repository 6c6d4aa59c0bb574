"""Every option of the environment: what is accepted, and the message for what is not."""

import dataclasses

import pytest

from spiral.config import EnvConfig
from spiral.envs.options import OPTIONS, env_config
from spiral.errors import InputError

ACCEPTED = {
    "width": (16, 1024, 33),
    "height": (16, 1024, 65),
    "channels": (1, 3),
    "background": ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
    "ink": ((1.0, 1.0, 1.0),),
    "renderer": ("cairo", "cairo@4"),
    "grid": (2, 64),
    "episode_length": (1, 1000),
    "strokes": ("simple", "compound"),
    "sizes": ((0.1,), (0.01, 1.0)),
    "pressures": ((1.0,), (0.001, 0.5)),
    "pressure_controls": ("opacity", "width", "taper"),
    "color_levels": (1, 20, 256),
    "noise_size": (0, 10),
    "start": ((0.0, 0.0), (1.0, 0.5)),
    "reward": ("none", "l2"),
    "target": (False, True),
    "classes": (0, 10),
    "palette": (None, ((0.5, 0.5, 0.5),), ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))),
    "picture_mm": (0.5, 25.0, 100_000.0),
    "minimum_mm": (0.0, 1.5, 100.0),
    "lift_cost": (0.0, 0.1, 1000.0),
    "travel_cost": (0.0, 0.01, 1000.0),
    "stroke_cost": (0.0, 0.1, 1000.0),
    "length_cost": (0.0, 0.1, 1000.0),
    "blank_cost": (0.0, 5.0, 1000.0),
}

REFUSED = [
    ("width", 15, "width must be a whole number from 16 to 1024, got 15"),
    ("width", 64.5, "width must be a whole number"),
    ("height", 1025, "height must be a whole number from 16 to 1024, got 1025"),
    ("channels", 2, r"channels must be 1 \(grey\) or 3 \(RGB\), got 2"),
    ("background", (1.0, 0.0, 0.0), "background must have equal red, green and blue on a grey canvas"),
    ("background", (1.0, 0.0), "background must be 3 numbers"),
    ("ink", (0.0, 0.0, 1.0), "ink must have equal red, green and blue on a grey canvas"),
    ("ink", (0.0, 0.0, 1.5), "ink blue must be a number from 0 to 1, got 1.5"),
    ("renderer", "cario", "unknown renderer 'cario'; known: .*Did you mean 'cairo'"),
    ("renderer", "cairo@0", "unknown renderer 'cairo@0'; after @ comes how many times larger cairo draws, 2 to 16"),
    ("renderer", 3, "unknown renderer '3'; known: cairo, reference"),
    ("grid", 1, "grid must be a whole number from 2 to 64, got 1"),
    ("episode_length", 0, "episode_length must be a whole number from 1 to 1000, got 0"),
    ("strokes", "cubic", "unknown kind of strokes 'cubic'; known: simple, compound"),
    ("sizes", (), r"sizes must be a list of one or more numbers, got \(\)"),
    ("sizes", 0.5, "sizes must be a list of one or more numbers, got 0.5"),
    ("sizes", (0.1, 0.0), r"sizes\[1\] must be a number above 0 .*, got 0.0"),
    ("pressures", (float("nan"),), r"pressures\[0\] must be a number above 0 .*, got nan"),
    ("pressure_controls", "color", "unknown pressure control 'color'; known: opacity, width, taper"),
    ("color_levels", 0, "color_levels must be a whole number from 1 to 256, got 0"),
    ("noise_size", -1, "noise_size must be a whole number from 0"),
    ("start", (0.0, 2.0), "start y must be a number from 0 to 1, got 2.0"),
    ("reward", "gan", "unknown reward 'gan'; known: none, l2"),
    ("target", "photo.jpg", "target must be True or False, got 'photo.jpg'"),
    ("classes", -1, "classes must be a whole number from 0 to 100000, got -1"),
    ("palette", (), r"palette must be a list of 1 to 256 colours \[red, green, blue\], or None, got \(\)"),
    ("palette", "red", r"palette must be a list of 1 to 256 colours \[red, green, blue\], or None, got 'red'"),
    ("palette", ((0.0, 0.0, 0.0),) * 257, "palette must be a list of 1 to 256 colours"),
    ("palette", (0.0, 0.0, 0.0), r"palette\[0\] must be 3 numbers \[red, green, blue\], got 0.0"),
    ("palette", ((0.5,) * 3, (0.0, 2.0, 0.0)), r"palette\[1\] green must be a number from 0 to 1, got 2.0"),
    ("palette", ((0.5,) * 3, (1.0, 0.0, 0.0)), r"palette\[1\] must have equal red, green and blue on a grey canvas"),
    ("picture_mm", 0.0, "picture_mm must be a number above 0 to 100000, got 0.0"),
    ("minimum_mm", -1.0, "minimum_mm must be a number from 0 to 100, got -1.0"),
    ("minimum_mm", 100.5, "minimum_mm must be a number from 0 to 100, got 100.5"),  # longer than the picture
    ("lift_cost", -0.1, "lift_cost must be a number from 0 to 1000, got -0.1"),
    ("travel_cost", float("nan"), "travel_cost must be a number from 0 to 1000, got nan"),
    ("stroke_cost", 1000.5, "stroke_cost must be a number from 0 to 1000, got 1000.5"),
    ("length_cost", -1.0, "length_cost must be a number from 0 to 1000, got -1.0"),
    ("blank_cost", None, "blank_cost must be a number from 0 to 1000, got None"),
]


def test_every_option_is_tried_both_ways():
    assert set(ACCEPTED) == {name for name, _, _ in REFUSED} == set(OPTIONS)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ACCEPTED.items() for value in values])
def test_accepted(name, value):
    assert getattr(env_config(None, {name: value}), name) == value


@pytest.mark.parametrize(("name", "value", "message"), REFUSED)
def test_refused(name, value, message):
    with pytest.raises(InputError, match=message):
        env_config(None, {name: value})


def test_an_unknown_option_names_the_known_ones():
    with pytest.raises(InputError, match=r"unknown environment option 'gird'; known: width, .*Did you mean 'grid'"):
        env_config(None, {"gird": 16})


def test_the_minimum_may_be_as_long_as_the_picture_it_is_given_with():
    assert env_config(None, {"picture_mm": 300.0, "minimum_mm": 250.0}).minimum_mm == 250.0


def test_a_palette_in_colour_needs_a_canvas_in_colour():
    palette = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert env_config(None, {"channels": 3, "palette": palette}).palette == palette


def test_compound_strokes_must_be_opaque():
    with pytest.raises(InputError, match=r"strokes 'compound' are chains .* 'opacity'; take 'width' or 'taper', or"):
        env_config(None, {"strokes": "compound", "pressure_controls": "opacity"})


def test_options_go_over_the_given_configuration():
    config = env_config(EnvConfig(width=32, height=48), {"width": 40})
    assert (config.width, config.height) == (40, 48)


def test_the_defaults_are_accepted_as_they_are():
    assert env_config(None, {}) == EnvConfig()


def test_lists_become_tuples_so_that_a_configuration_is_hashable():
    config = env_config(None, {"sizes": [0.1, 0.2], "background": [1, 1, 1], "palette": [[0, 0, 0], [1, 1, 1]]})
    assert config.sizes == (0.1, 0.2) and config.background == (1.0, 1.0, 1.0)
    assert config.palette == ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    hash(config)


def test_the_values_of_a_given_configuration_are_checked_too():
    with pytest.raises(InputError, match="grid must be a whole number from 2 to 64, got 65"):
        env_config(dataclasses.replace(EnvConfig(), grid=65), {})
