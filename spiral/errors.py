"""Errors that are the user's to mend: one line that says what was wrong, what was got and what is accepted."""


class SpiralError(Exception):
    """The work itself failed. The command line prints the one line and exits with code 1."""


class InputError(SpiralError, ValueError):
    """Something given was wrong: a name, a value, a file. The command line exits with code 2, no traceback."""


class WriteError(InputError):
    """A file or folder that cannot be written, where the disk is full say. Long work goes on and tries it again."""


class ProgramError(InputError):
    """A stroke program that cannot be read; the message names the stroke and the field."""
