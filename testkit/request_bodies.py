"""Bodies of requests, as clients send them."""

BOUNDARY = "limit-7"


def multipart(*parts: tuple[str, bytes], headers: str = "") -> dict[str, object]:
    """The body and content type of form data with these fields."""
    lines = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{headers}\r\n\r\n'.encode()
        + value
        + b"\r\n"
        for name, value in parts
    )
    return {
        "body": lines + f"--{BOUNDARY}--\r\n".encode(),
        "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    }


def as_json(body: bytes) -> dict[str, object]:
    """A body of raw bytes declared as JSON."""
    return {"body": body, "headers": {"Content-Type": "application/json"}}


def as_form(body: bytes) -> dict[str, object]:
    """A body of raw bytes declared as a form."""
    return {"body": body, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
