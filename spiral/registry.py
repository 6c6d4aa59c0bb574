"""Names to implementations: renderers, datasets, objectives.

A new implementation is one new file in the package of its kind, with one ``@REGISTRY.register("name")`` line.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from spiral.errors import InputError


def unknown(kind: str, name: object, known: list[str]) -> str:
    """The message for a name nobody registered, with the closest known one."""
    close = difflib.get_close_matches(str(name), known, n=1)
    hint = f". Did you mean {close[0]!r}?" if close else ""
    return f"unknown {kind} {name!r}; known: {', '.join(known) or 'none'}{hint}"


class Registry:
    """What is registered under one kind; the modules of ``package`` are imported at the first question, not before."""

    def __init__(self, kind: str, package: str):
        self.kind = kind
        self.package = package
        self._entries: dict[str, Any] = {}
        self._imported = False

    def register(self, name: str) -> Callable:
        """Decorator: the decorated object is what ``get(name)`` gives."""

        def add(entry):
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return add

    def _import_package(self) -> None:
        if not self._imported:
            self._imported = True
            package = importlib.import_module(self.package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self.package}.{module.name}")

    def names(self) -> list[str]:
        self._import_package()
        return sorted(self._entries)

    def get(self, name: str) -> Any:
        """The entry of this name.

        Raises:
            InputError: no such name; the message lists the known ones.
        """
        self._import_package()
        if name not in self._entries:
            raise InputError(unknown(self.kind, name, self.names()))
        return self._entries[name]
