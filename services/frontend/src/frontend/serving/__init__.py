"""Serving: the WSGI server and what surrounds the pages: observation, health, static files."""
