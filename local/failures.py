"""What can go wrong with a part of the system, in words for the person who started it."""

from local.process import Process


class UsageError(Exception):
    """A setting of the command does not fit; `str()` says which."""


class StackError(Exception):
    """A part of the system did not do its work; `str()` says which, how and where to read on."""

    @classmethod
    def about(cls, process: Process, what: str) -> "StackError":
        """The error that a process `what` (`ended with exit status 3`), with its last lines."""
        lines = "\n".join(f"    {line}" for line in process.last_lines) or "    (no output)"
        return cls(
            f"{process.name} {what}. Its last lines:\n{lines}\nThe whole log: {process.log_path}"
        )


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    return f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
