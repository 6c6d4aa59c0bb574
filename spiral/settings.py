"""From plain values, as JSON and TOML hold them, to frozen dataclasses; every value checked, every message with its key."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any

from spiral.errors import InputError
from spiral.registry import unknown


@dataclass(frozen=True)
class Rules:
    """What the values of some settings may be, by dotted key; those of a list's groups have the list's key.

    Attributes:
        limits: least and largest accepted number.
        choices: accepted words.
    """

    limits: dict[str, tuple[float, float]] = field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)


def updated(settings: Any, values: dict[str, Any], rules: Rules, prefix: str = "") -> Any:
    """A settings dataclass with some fields replaced, nested ones by nested dicts.

    Raises:
        InputError: an unknown key, or a value of the wrong type or range; the message names the key.
    """
    return dataclasses.replace(settings, **_changes(type(settings), settings, values, rules, prefix))


def made(kind: type, values: dict[str, Any], rules: Rules, prefix: str = "") -> Any:
    """A settings dataclass of this kind; what is missing has its default.

    Raises:
        InputError: as of `updated`, or a value is missing that has no default.
    """
    changes = _changes(kind, None, values, rules, prefix)
    for one in dataclasses.fields(kind):
        has_default = one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING
        if one.name not in changes and not has_default:
            raise InputError(f"setting {prefix}{one.name} is missing")
    return kind(**changes)


def _changes(kind: type, current: Any, values: dict[str, Any], rules: Rules, prefix: str) -> dict[str, Any]:
    kinds = typing.get_type_hints(kind)
    changes = {}
    for name, value in values.items():
        key = prefix + name
        if name not in kinds:
            raise InputError(unknown("setting", key, [prefix + known for known in kinds]))
        if dataclasses.is_dataclass(kinds[name]):
            _check_group(kinds[name], value, key)
            group = getattr(current, name, None)
            changes[name] = (
                made(kinds[name], value, rules, f"{key}.") if group is None else updated(group, value, rules, f"{key}.")
            )
        else:
            changes[name] = _checked(kinds[name], value, key, rules)
    return changes


def _check_group(kind: type, value: Any, key: str) -> None:
    if not isinstance(value, dict):
        first = dataclasses.fields(kind)[0].name
        raise InputError(f"setting {key} is a group, got {value!r}; set one of its fields, such as {key}.{first}")


def _checked(kind: Any, value: Any, key: str, rules: Rules) -> Any:
    """``value`` as ``kind``: int, float, str, bool, a dataclass, a tuple of one of these, or one of these or None."""
    if isinstance(kind, types.UnionType):
        return None if value is None else _checked(typing.get_args(kind)[0], value, key, rules)
    if dataclasses.is_dataclass(kind):
        _check_group(kind, value, key)
        return made(kind, value, rules, f"{key}.")
    if typing.get_origin(kind) is tuple:
        inner, *others = typing.get_args(kind)
        count = None if Ellipsis in others else 1 + len(others)
        if dataclasses.is_dataclass(inner) and not isinstance(value, list | tuple):
            raise InputError(
                f"setting {key} must be a list of groups, in TOML each begun by [[{key}]], got {value!r:.60}"
            )
        if not isinstance(value, list | tuple) or not value or (count and len(value) != count):
            raise InputError(f"setting {key} must be a list of {count or 'one or more'} values, got {value!r}")
        return tuple(_checked(inner, item, key, rules) for item in value)
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        words = {int: "a whole number", float: "a number", str: "a word", bool: "true or false"}
        raise InputError(f"setting {key} must be {words[kind]}, got {value!r}")
    low, high = rules.limits.get(key, (None, None))
    if low is not None and not low <= value <= high:  # also false for NaN
        raise InputError(f"setting {key} must be from {low:g} to {high:g}, got {value!r}")
    if key in rules.choices and value not in rules.choices[key]:
        raise InputError(unknown(f"{key}", value, list(rules.choices[key])))
    return kind(value)
