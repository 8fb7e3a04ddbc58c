"""The error raised when deploying fails, with a message for the user."""


class DeployError(Exception):
    """A verb failed; `str()` says why and what to do."""
