"""What every response tells browsers, whichever service it comes from."""

# No other site may embed a response, and none is taken for another type than it says.
EVERY_RESPONSE = [
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
# Pages share no process with those of other sites, and use no device.
PAGES = [
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]


def strict_transport(max_age_seconds: int, *, include_subdomains: bool) -> tuple[str, str]:
    """Return the header that tells browsers to use only https (RFC 6797)."""
    subdomains = "; includeSubDomains" if include_subdomains else ""
    return "Strict-Transport-Security", f"max-age={max_age_seconds}{subdomains}"
