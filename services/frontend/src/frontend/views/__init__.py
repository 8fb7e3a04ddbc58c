"""The pages, each from its request to its answer."""
