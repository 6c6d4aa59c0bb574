import sys

import pytest

from spiral.errors import InputError
from spiral.registry import Registry, unknown


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two modules that register what they have."""
    folder = tmp_path / "registry_example"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from spiral.registry import Registry\nTHINGS = Registry('thing', 'registry_example')\n"
    )
    for name in ("pear", "apple"):
        (folder / f"{name}.py").write_text(
            f"from registry_example import THINGS\n@THINGS.register('{name}')\ndef make():\n    return '{name}'\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    yield "registry_example"
    for module in [module for module in sys.modules if module.startswith("registry_example")]:
        del sys.modules[module]


def test_modules_are_found_at_the_first_question_and_not_before(package):
    from registry_example import THINGS

    assert "registry_example.pear" not in sys.modules
    assert THINGS.names() == ["apple", "pear"]
    assert THINGS.get("pear")() == "pear"


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_closest(package):
    from registry_example import THINGS

    with pytest.raises(InputError, match=r"unknown thing 'aple'; known: apple, pear\. Did you mean 'apple'\?"):
        THINGS.get("aple")
    with pytest.raises(InputError, match="unknown thing 'zzz'; known: apple, pear$"):
        THINGS.get("zzz")


def test_registering_a_name_twice_is_refused():
    things = Registry("thing", "nowhere")
    things.register("a")(object)
    with pytest.raises(ValueError, match="thing 'a' is registered twice"):
        things.register("a")(object)


def test_what_is_registered_stays_what_it_was():
    assert Registry("thing", "nowhere").register("a")(dict) is dict


def test_unknown_says_so_where_there_is_nothing_to_choose():
    assert unknown("thing", "a", []) == "unknown thing 'a'; known: none"
