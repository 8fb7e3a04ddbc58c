"""Security headers, the same for every service."""

# No other site may embed a response, and browsers must not guess its type.
EVERY_RESPONSE = [
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]
# Pages share no browsing context with those of other sites, and use no devices.
PAGES = [
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
