"""What the services of MyThoughts share.

A module stands here when at least two services need it and it matters for security or for
the wire contract. Nothing here knows a word of the domain. Three modules serve every
service, the Frontend included: `settings`, `tokens` with `keys`, `logs` with `requests`.
The others serve the two APIs: `api` puts them together.
"""
