"""Errors that are the user's to mend: one line that says what was wrong, what was got and what is accepted."""


class SpiralError(Exception):
    """The work itself failed. The command line prints the one line and exits with code 1."""


class InputError(SpiralError, ValueError):
    """Something given was wrong: a name, a value, a file. The command line exits with code 2, no traceback."""


class WriteError(InputError):
    """A file or folder that cannot be written, where the disk is full say. Long work goes on and tries it again."""


class ProcessError(SpiralError):
    """A process of a run died and does not come back, or gives no answer. A run can go on from its last checkpoint."""


class ProgramError(InputError):
    """A stroke program that cannot be read; the message names the stroke and the field."""


def reason(error: BaseException) -> str:
    """Why it failed, in one line."""
    cause = getattr(error, "cause", None) or error  # Ray wraps what is raised in another process
    return str(cause).strip().splitlines()[-1] if str(cause).strip() else type(cause).__name__
