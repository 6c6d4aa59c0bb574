from __future__ import annotations

import math
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spiral.errors import InputError
from spiral.state_file import STRUCTURE, load_state, save_state

ARRAYS = hnp.arrays(
    st.one_of(hnp.scalar_dtypes(), hnp.unicode_string_dtypes(), hnp.byte_string_dtypes()),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
SCALARS = st.sampled_from([np.float32(0.1), np.float64("nan"), np.int64(-3), np.uint8(255), np.bool_(True)])
NUMBERS = st.one_of(st.integers(-(2**700), 2**700), st.floats(), st.booleans(), st.none())
LEAVES = st.one_of(NUMBERS, st.text(), st.binary(), ARRAYS, SCALARS)
KEYS = st.one_of(st.text(), st.integers(), st.tuples(st.text(), st.integers()))
STATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


def same(a, b):
    """Equal bit for bit, types and order included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return math.isnan(a) and math.isnan(b) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b


@settings(max_examples=200, deadline=None)
@given(state=STATES)
def test_a_state_comes_back_as_it_was(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("state") / "state.npz"
    save_state(path, state)
    assert same(load_state(path), state)


def test_the_random_state_of_a_generator_comes_back(tmp_path):
    rng = np.random.default_rng(3)
    rng.random(7)
    save_state(tmp_path / "state.npz", rng.bit_generator.state)
    expected = rng.random(5)
    other = np.random.default_rng(4)
    other.bit_generator.state = load_state(tmp_path / "state.npz")
    np.testing.assert_array_equal(other.random(5), expected)


def test_arrays_that_were_loaded_can_be_written_to(tmp_path):
    save_state(tmp_path / "state.npz", {"weights": np.zeros(3)})
    load_state(tmp_path / "state.npz")["weights"][:] = 1


def test_an_ordered_dict_becomes_a_plain_one(tmp_path):
    save_state(tmp_path / "state.npz", OrderedDict(b=1, a=2))
    assert same(load_state(tmp_path / "state.npz"), {"b": 1, "a": 2})


@pytest.mark.parametrize("value", [{1, 2}, object(), np.array([None, "object"]), 1j, np.str_])
def test_what_a_state_cannot_hold_is_refused_and_no_file_is_left(tmp_path, value):
    with pytest.raises(TypeError, match=r"^a state cannot hold a value of type "):
        save_state(tmp_path / "state.npz", {"deep": [value]})
    assert not list(tmp_path.iterdir())


class Attack:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_the_attack_works(tmp_path):
    pickle.loads(pickle.dumps(Attack(tmp_path / "hacked"))).close()
    assert (tmp_path / "hacked").exists()


@pytest.mark.parametrize("name", [STRUCTURE, "0", "other"])
def test_no_pickle_in_a_state_file_is_run(tmp_path, name):
    path = tmp_path / "state.npz"
    save_state(path, {"weights": np.zeros(3)})
    with np.load(path) as arrays:
        np.savez(path, **dict(arrays) | {name: np.array([Attack(tmp_path / "hacked")], dtype=object)})
    with pytest.raises(InputError, match="cannot read .*state.npz: it is damaged or holds no state .Object arrays can"):
        load_state(path)
    assert not (tmp_path / "hacked").exists()


def test_a_pickle_in_place_of_a_state_file_is_not_run(tmp_path):
    path = tmp_path / "state.npz"
    path.write_bytes(pickle.dumps(Attack(tmp_path / "hacked")))
    with pytest.raises(InputError, match="cannot read .*state.npz: it is damaged or holds no state"):
        load_state(path)
    assert not (tmp_path / "hacked").exists()


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"^cannot read .*state.npz: No such file or directory$"):
        load_state(tmp_path / "state.npz")


@pytest.mark.parametrize(
    "structure",
    [
        "no JSON",
        '{"array": "7"}',
        '{"array": ["0"]}',
        '{"scalar": null}',
        '{"code": "print()"}',
        '{"tuple": 3}',
        '{"dict": {"a": 1}}',
        '{"dict": [[[], 1]]}',
        '{"bytes": "xy"}',
        '{"array": "0", "tuple": []}',
        "{}",
        "[" * 100_000,
    ],
)
def test_structures_of_strangers(tmp_path, structure):
    path = tmp_path / "state.npz"
    np.savez(path, **{STRUCTURE: np.array(structure), "0": np.zeros(3)})
    with pytest.raises(InputError, match="cannot read .*state.npz: it is damaged or holds no state"):
        load_state(path)


@pytest.mark.parametrize("arrays", [{}, {STRUCTURE: np.zeros(3)}, {STRUCTURE: np.zeros(())}])
def test_a_file_of_other_arrays(tmp_path, arrays):
    path = tmp_path / "state.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match="cannot read .*state.npz: it is damaged or holds no state"):
        load_state(path)


def test_a_file_cut_short_or_with_a_bit_flipped_is_refused_or_read_as_it_was(tmp_path):
    """Not every byte of a zip file matters; where one does, it must not go by unseen."""
    path, state = tmp_path / "state.npz", {"weights": np.arange(5.0), "updates": 3, "pair": (None, b"\x00")}
    save_state(path, state)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        with pytest.raises(InputError, match="cannot read .*state.npz: it is damaged or holds no state"):
            load_state(path)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        try:
            read = load_state(path)
        except InputError:
            continue
        assert same(read, state), at
