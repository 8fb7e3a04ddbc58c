"""The Users Backend: manages users and signs their access tokens."""
