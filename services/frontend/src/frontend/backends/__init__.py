"""The two backends as the pages see them, and their failures."""
