"""What can go wrong while deploying, in words for the person who asked for it."""


class DeployError(Exception):
    """A verb did not do its work; `str()` says why and what to do."""
