"""The views: each handles a request and returns a page."""
