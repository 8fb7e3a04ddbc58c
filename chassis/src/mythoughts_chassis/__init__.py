"""Code that the services of MyThoughts share.

A module belongs here when at least two services need it and it matters for security or for
the wire contract. Nothing here depends on the domain. All services, including the Frontend,
use `settings`, `commands`, `tokens` with `keys`, and `logs` with `observation`. `api` puts an
API together, and `backend_commands` runs it; the Frontend uses some of the other modules.
"""
