"""Commands of Ray, as its own command line reads them."""

import shlex

from ray.scripts.scripts import cli


def ray_context(words):
    """A call of ``ray``, parsed and not made."""
    command = cli
    while hasattr(command, "commands"):
        assert words and words[0] in command.commands, f"ray has no command {' '.join(words)!r}"
        name, *words = words
        command = command.commands[name]
    return command.make_context(name, list(words))


def run_by_ray(words):
    """The words of the command that a call of ``ray`` runs on a cluster; none if it runs none."""
    params = ray_context(words).params
    return [*params.get("entrypoint", ())] or shlex.split(params.get("cmd", ""))
