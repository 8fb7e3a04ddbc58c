"""Errors of the parts of the system, with messages for the user who started it."""

from local.process import Process


class UsageError(Exception):
    """A setting of the command is invalid; `str()` says which."""


class StackError(Exception):
    """A part of the system failed; `str()` says which, how, and where to read more."""

    @classmethod
    def about(cls, process: Process, what: str) -> "StackError":
        """The error for a process, with its last lines; `what` is "ended with exit status 3"."""
        lines = "\n".join(f"    {line}" for line in process.last_lines) or "    (no output)"
        return cls(
            f"{process.name} {what}. Its last lines:\n{lines}\nThe whole log: {process.log_path}"
        )


def how_it_ended(status: int) -> str:
    """Describe an exit status in words."""
    return f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
