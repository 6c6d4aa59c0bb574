"""Checks of values that come from outside: one message per fault, naming the field, the value and what is accepted."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np

from spiral.errors import InputError

LARGEST_INTEGER = 2**31 - 1


def number(value: object, name: str, low: float, high: float, low_included: bool = True) -> float:
    """``value`` as a float.

    Raises:
        InputError: it is no number (a bool is none), not finite, or outside ``low..high``.
    """
    # Nearly all are floats: asking for that takes a tenth of the time of asking an abstract class.
    is_number = type(value) is float or (isinstance(value, numbers.Real) and not isinstance(value, bool))
    # Comparing is false for NaN, so that is refused here too.
    if not is_number or not low <= value <= high or (value == low and not low_included):
        accepted = f"{'from' if low_included else 'above'} {low:g} to {high:g}"
        raise InputError(f"{name} must be a number {accepted}, got {_short(value)}")
    return float(value)


def integer(value: object, name: str, low: int, high: int) -> int:
    """``value`` as an int.

    Raises:
        InputError: it is no whole number (a bool is none) or outside ``low..high``.
    """
    is_integer = type(value) is int or (isinstance(value, numbers.Integral) and not isinstance(value, bool))
    if not is_integer or not low <= value <= high:
        raise InputError(f"{name} must be a whole number from {low} to {high}, got {_short(value)}")
    return int(value)


def boolean(value: object, name: str) -> bool:
    """``value``, True or False.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {_short(value)}")
    return value


def numbers_of(value: object, name: str, parts: Sequence[str], low: float, high: float) -> tuple[float, ...]:
    """``value`` as a tuple of floats, one for each name in ``parts``; itself if it is one.

    Raises:
        InputError: not so many values, or one of them is refused by `number`.
    """
    if not _is_list(value) or len(value) != len(parts):
        raise InputError(f"{name} must be {len(parts)} numbers [{', '.join(parts)}], got {_short(value)}")
    for one in value:  # naming each, to check it by `number`, would take several times as long as this
        if type(one) is not float or not low <= one <= high:
            return tuple(number(one, f"{name} {part}", low, high) for one, part in zip(value, parts, strict=True))
    return value if isinstance(value, tuple) else tuple(value)


def color(value: object, name: str) -> tuple[float, float, float]:
    """``value`` as (red, green, blue), each in 0..1.

    Raises:
        InputError: it is something else.
    """
    return numbers_of(value, name, ("red", "green", "blue"), 0.0, 1.0)


def integers_of(value: object, name: str, most: int) -> tuple[int, ...]:
    """``value`` as a tuple of at most ``most`` ints, none of them negative.

    Raises:
        InputError: it is something else.
    """
    if not _is_list(value) or len(value) > most:
        raise InputError(f"{name} must be a list of at most {most} whole numbers, got {_short(value)}")
    for one in value:
        if type(one) is not int or not 0 <= one <= LARGEST_INTEGER:
            return tuple(integer(one, f"{name}[{i}]", 0, LARGEST_INTEGER) for i, one in enumerate(value))
    return tuple(value)


def instance(value: object, name: str, kind: type) -> None:
    """Refuse what is not a ``kind``.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(value, kind):
        raise InputError(f"{name} must be a {kind.__name__}, got {_short(value)}")


def text(value: object, name: str, longest: int) -> str:
    """``value`` if it is a string of at most ``longest`` characters.

    Raises:
        InputError: it is not.
    """
    if not isinstance(value, str) or len(value) > longest:
        raise InputError(f"{name} must be a text of at most {longest} characters, got {_short(value)}")
    return value


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)


def _short(value: object, longest: int = 60) -> str:
    """The value as shown in a message; no file can make a message longer than a line."""
    try:
        shown = repr(value)
    except ValueError:  # Python refuses to print an int of thousands of digits
        return "a number of thousands of digits"
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."
