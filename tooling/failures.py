"""The error that a program reports to its user instead of showing a traceback."""


class Failure(Exception):
    """What the user asked for is not possible; `str()` says why and what to do."""
