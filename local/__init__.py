"""The run on one machine without containers."""
