"""The state of a computation in one safe file: nested values and arrays, no code. Nothing is unpickled."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from spiral.errors import InputError
from spiral.files import read_arrays, written_whole

STRUCTURE = "structure"  # the array that holds all but the arrays: JSON text


def save_state(path: str | os.PathLike, state: Any) -> None:
    """Write a state that ``load_state`` gives back bit for bit. Only dicts of a type of their own become plain ones.

    Args:
        path: of the file, ``.npz``.
        state: None, bool, int, float, str, bytes, NumPy arrays and scalars, and lists, tuples and dicts of them.

    Raises:
        TypeError: something else is in it.
        InputError: the file cannot be written.
    """
    arrays: list[np.ndarray] = []
    structure = np.array(json.dumps(_described(state, arrays)))
    with written_whole(path) as beside:
        np.savez(beside, **{STRUCTURE: structure}, **{str(place): array for place, array in enumerate(arrays)})


def load_state(path: str | os.PathLike) -> Any:
    """Read a state that ``save_state`` wrote. No content of the file can run code.

    Raises:
        InputError: it is missing, damaged, or no such file.
    """
    try:
        arrays = read_arrays(path)
        return _rebuilt(json.loads(arrays[STRUCTURE].item()), arrays)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"cannot read {path}: it is damaged or holds no state ({error})") from None


def _described(value: Any, arrays: list[np.ndarray]) -> Any:
    """A value as JSON, where a list is a list and an object has one key, which says what its content stands for."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return [_described(item, arrays) for item in value]
    if kind is tuple:
        return {"tuple": [_described(item, arrays) for item in value]}
    if isinstance(value, dict):  # an ordered one, too: all are
        return {"dict": [[_described(key, arrays), _described(item, arrays)] for key, item in value.items()]}
    if kind is bytes:
        return {"bytes": value.hex()}
    if (kind is np.ndarray or isinstance(value, np.generic)) and not value.dtype.hasobject:
        arrays.append(np.asarray(value))
        return {"array" if kind is np.ndarray else "scalar": str(len(arrays) - 1)}
    raise TypeError(f"a state cannot hold a value of type {kind.__name__}")


def _rebuilt(described: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(described, list):
        return [_rebuilt(item, arrays) for item in described]
    if not isinstance(described, dict):
        return described
    ((kind, content),) = described.items()
    match kind:
        case "tuple":
            return tuple(_rebuilt(content, arrays))
        case "dict":
            return {_rebuilt(key, arrays): _rebuilt(item, arrays) for key, item in content}
        case "bytes":
            return bytes.fromhex(content)
        case "array":
            return arrays[content]
        case "scalar":
            return arrays[content][()]
    raise ValueError(f"unknown kind {kind!r}")
