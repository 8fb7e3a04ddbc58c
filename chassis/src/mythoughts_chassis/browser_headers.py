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
