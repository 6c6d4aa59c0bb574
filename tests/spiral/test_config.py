from __future__ import annotations

import dataclasses
import json
import typing

import pytest

from spiral import config
from spiral.agents.discriminator import Discriminator
from spiral.agents.objectives import OBJECTIVES
from spiral.agents.painter import Painter
from spiral.config import RunConfig
from spiral.envs.options import env_config
from spiral.errors import InputError


def fields(kind, prefix=""):
    """Every setting that is a value, dotted name -> type."""
    found = {}
    for name, inner in typing.get_type_hints(kind).items():
        if dataclasses.is_dataclass(inner):
            found |= fields(inner, f"{prefix}{name}.")
        else:
            found[prefix + name] = inner
    return found


@pytest.mark.parametrize("name", config.preset_names())
def test_every_preset_can_be_built(name):
    run = config.preset(name)
    assert env_config(run.env, {}) == run.env
    Painter(run.painter, run.env)
    objective = OBJECTIVES.get(run.objective.name)
    Discriminator(run.discriminator, run.env, getattr(objective, "spectral", False))
    assert run.minutes or run.env_steps
    assert 0 < len(config.preset_description(name)) < 120


@pytest.mark.parametrize("name", config.preset_names())
def test_settings_survive_json(name):
    run = config.preset(name)
    assert config.from_dict(json.loads(json.dumps(config.to_dict(run)))) == run


def test_what_is_missing_has_its_default():
    assert config.from_dict({}) == RunConfig()
    assert config.from_dict({"env": {"width": 20}}).env == config.EnvConfig(width=20)


def test_a_palette_survives_json():
    run = config.override(RunConfig(), ["env.palette=[[0, 0, 0], [1, 0.5, 0]]"])
    assert config.from_dict(json.loads(json.dumps(config.to_dict(run)))) == run


def test_a_preset_says_only_what_differs_from_its_base():
    base, other = config.preset("digits"), config.preset("digits-wasserstein")
    assert other.env == base.env
    assert other.objective.name == "wasserstein" != base.objective.name
    assert other.description != base.description


def test_an_unknown_preset():
    with pytest.raises(InputError, match="unknown preset 'digit'; known: debug, .* Did you mean 'digits'"):
        config.preset("digit")


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("learner.entropy=0.5", 0.5),
        ("learner.entropy=1", 1.0),
        ("num_envs = 7", 7),
        ("minutes=none", None),
        ("data=photos/", "photos/"),
        ('data="with space"', "with space"),
        ("data=a=b", "a=b"),
        ("discriminator.remote=false", False),
        ("env.sizes=[0.1, 0.2]", (0.1, 0.2)),
        ("env.ink=[0, 0.5, 1]", (0.0, 0.5, 1.0)),
        ("env.palette=[[0, 0, 0], [1, 0.5, 0]]", ((0.0, 0.0, 0.0), (1.0, 0.5, 0.0))),
        ("env.palette=none", None),
    ],
)
def test_a_setting_is_overridden(assignment, value):
    changed = config.override(RunConfig(), [assignment])
    for name in assignment.partition("=")[0].strip().split("."):
        changed = getattr(changed, name)
    assert changed == value
    assert type(changed) is type(value)


def test_overrides_change_nothing_else():
    run = config.preset("debug")
    changed = config.override(run, ["learner.entropy=0.5"])
    assert dataclasses.replace(changed, learner=run.learner) == run
    changed = config.override(run, ["env.noise_size=3"])
    assert changed.env == dataclasses.replace(run.env, noise_size=3) != config.EnvConfig(noise_size=3)
    assert config.override(run, []) == run


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("entropy", "cannot read the setting 'entropy'; write key=value, such as learner.entropy=0.05"),
        ("learner.entrpy=1", "unknown setting 'learner.entrpy'; known: ... Did you mean 'learner.entropy'?"),
        ("lerner.entropy=1", "unknown setting 'lerner'; known: ... Did you mean 'learner'?"),
        ("learner=1", "setting learner is a group, got 1; set one of its fields, such as learner.learning_rate"),
        ("seed.x=1", "setting seed must be a whole number, got {'x': 1}"),
        ("seed=1.5", "setting seed must be a whole number, got 1.5"),
        ("seed=true", "setting seed must be a whole number, got True"),
        ("seed=none", "setting seed must be a whole number, got None"),
        ("seed=-1", "setting seed must be from 0 to 4.29497e+09, got -1"),
        ("minutes=nan", "setting minutes must be from 0.01 to 1e+06, got nan"),
        ("minutes=soon", "setting minutes must be a number, got 'soon'"),
        ("data=3", "setting data must be a word, got 3"),
        ("discriminator.remote=1", "setting discriminator.remote must be true or false, got 1"),
        ("env.ink=[1, 2]", "setting env.ink must be a list of 3 values, got [1, 2]"),
        ("env.palette=[]", "setting env.palette must be a list of one or more values, got []"),
        ("env.palette=[0, 0, 0]", "setting env.palette must be a list of 3 values, got 0"),
        ("env.palette=[[0, 0, red]]", "setting env.palette must be a list of one or more values, got '[[0, 0, red]]'"),
        ("env.sizes=[]", "setting env.sizes must be a list of one or more values, got []"),
        ("env.sizes=[0.1, big]", "setting env.sizes must be a list of one or more values, got '[0.1, big]'"),
        ("painter.channels=[4, 0]", "setting painter.channels must be from 1 to 1024, got 0"),
        ("painter.network=quik", "unknown painter.network 'quik'; known: ... Did you mean 'quick'?"),
        ("objective.reward=finale", "unknown objective.reward 'finale'; known: ... Did you mean 'final'?"),
    ],
)
def test_a_setting_that_is_refused(assignment, message):
    with pytest.raises(InputError) as refused:
        config.override(RunConfig(), [assignment])
    begin, _, end = message.partition("...")
    assert str(refused.value).startswith(begin)
    assert str(refused.value).endswith(end)


def test_every_limit_and_choice_is_of_a_setting():
    assert set(config.LIMITS) | set(config.CHOICES) <= set(fields(RunConfig))


def test_every_number_outside_the_environment_has_limits():
    numbers = {name for name, kind in fields(RunConfig).items() if {int, float} & {kind, *typing.get_args(kind)}}
    assert {name for name in numbers if not name.startswith("env.")} == set(config.LIMITS)


@pytest.mark.parametrize("key", config.LIMITS)
def test_limits_are_in_order_and_hold(key):
    low, high = config.LIMITS[key]
    assert low < high
    *groups, name = key.split(".")
    default = RunConfig()
    for group in groups:
        default = getattr(default, group)
    listed = isinstance(getattr(default, name), tuple)
    count = len(getattr(default, name)) if listed else 1
    for value in (low - 1, high * 2):
        with pytest.raises(InputError, match=f"setting {key} must be "):
            config.override(RunConfig(), [f"{key}={[value] * count if listed else value}"])
