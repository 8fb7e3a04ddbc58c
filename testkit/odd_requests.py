"""Bodies and addresses that no client of ours sends, all well-formed HTTP.

Whatever they contain, the fault is the client's: a service answers below 500, counts no request as
failed, and continues.
"""

import re
from collections.abc import Mapping, Sequence

from testkit.http_client import HttpClient
from testkit.service_process import ServiceProcess

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"

_FIELD = b'--b\r\nContent-Disposition: form-data; name="text"'

CONTENT_TYPES = [
    "",
    ";",
    "/",
    "text/plain",
    "application/xml",
    "application/json; charset=utf-16",
    "application/json; charset=bogus",
    "application/json; charset=\xff",
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/x-www-form-urlencoded; charset=\x80",
    "application/x-www-form-urlencoded; charset=idna",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="' + "b" * 5000 + '"',
    "multipart/form-data; boundary=\xe9",
    "multipart/form-data; boundary=b; charset=bogus",
    "multipart/mixed; boundary=b",
    "multipart/form-data; boundary*=utf-8''b",
]

BODIES: dict[str, tuple[str, bytes]] = {
    "empty JSON": (JSON, b""),
    "deep JSON": (JSON, b"[" * 60_000),
    "large number": (JSON, b'{"text": ' + b"9" * 60_000 + b"}"),
    "exponent": (JSON, b'{"text": 1e999999}'),
    "lone surrogate": (JSON, b'{"text": "\\ud800", "username": "\\udfff", "password": "\\ud800"}'),
    "no UTF-8": (JSON, b'{"text": "\xff\xfe"}'),
    "UTF-16": (JSON, '{"text": "a"}'.encode("utf-16")),
    "byte order mark": (JSON, b'\xef\xbb\xbf{"text": "a"}'),
    "NUL": (JSON, b'{"text": "a\\u0000", "username": "\\u0000", "password": "\\u0000"}'),
    "same key": (JSON, b'{"text": "a", "text": "b"}'),
    "form of bytes": (FORM, bytes(range(256)) * 8),
    "half escapes": (FORM, b"text=%&text=%f&username=%u0041&password=%ff%fe%00"),
    "surrogates in a form": (FORM, b"text=%ed%a0%80&username=%ed%a0%80&password=%ed%a0%80"),
    "no names": (FORM, b"&&&=&=&;=;"),
    "fields": (FORM, b"&".join(b"f%d=1" % number for number in range(5000))),
    "same field": (FORM, b"&".join([b"text=1"] * 9000)),
    "long field": (FORM, b"text=" + b"a" * 200_000),
    "controls": (FORM, b"text=" + b"%01" * 60_000),
    "unfinished part": (MULTIPART, _FIELD),
    "part without an end": (MULTIPART, _FIELD + b"\r\n\r\na"),
    "file": (MULTIPART, _FIELD + b'; filename="../a"\r\n\r\na\r\n--b--\r\n'),
    "files": (MULTIPART, (_FIELD + b'; filename="a"\r\n\r\na\r\n') * 300 + b"--b--\r\n"),
    "parts": (MULTIPART, (_FIELD + b"\r\n\r\na\r\n") * 1500 + b"--b--\r\n"),
    "part in base64": (
        MULTIPART,
        _FIELD + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b--\r\n",
    ),
    "part of bytes": (MULTIPART, _FIELD + b"\r\n\r\n" + bytes(range(256)) + b"\r\n--b--\r\n"),
    "part with long headers": (MULTIPART, _FIELD + b"\r\nX: " + b"a" * 50_000 + b"\r\n\r\n"),
    "name of bytes": (
        MULTIPART,
        b'--b\r\nContent-Disposition: form-data; name="\xff\x00"\r\n\r\na',
    ),
}

ENCODINGS = ["gzip", "deflate", "br", "identity", "gzip, gzip", "x" * 1000]

TARGETS = [
    "?" + "a" * 14_000,
    "?search=" + "a" * 14_000,
    "?search=" + "%E6%80%9D" * 1500,
    "?search=" + "," * 13_000,
    "?max_id=" + "9" * 5000,
    "?" + "&".join(f"a{number}={number}" for number in range(1500)),
    "?search=%ED%A0%80",
    "?search=%00&username=%00",
    "?search=%",
    "?next=%0d%0aX:%20y",
    "?" + "%25" * 3000,
    "/" + "%2e%2e%2f" * 500,
    "/%u0041",
    "/" + "a/" * 5000,
]


def check_odd_requests(
    service: ServiceProcess,
    *,
    written: Sequence[str],
    read: Sequence[str],
    headers: Mapping[str, str],
) -> None:
    """Send every oddity to the paths that are `written` to or `read`, and count faults."""
    # The backend may close a connection whose body it refuses.
    http = HttpClient(service.http.base_url, headers=headers)
    statuses: dict[tuple[str, object], int] = {}
    for path in written:
        for name, (content_type, body) in BODIES.items():
            for encoding in ("", "gzip"):
                sent = {"Content-Type": content_type}
                if encoding:
                    sent["Content-Encoding"] = encoding
                answer = http.post(path, body=body, headers=sent)
                statuses[path, f"{name} {encoding}"] = answer.status
        for content_type in CONTENT_TYPES:
            sent = {"Content-Type": content_type}
            answer = http.post(path, body=b"text=a&username=b&password=c", headers=sent)
            statuses[path, content_type] = answer.status
        for encoding in ENCODINGS:
            sent = {"Content-Type": FORM, "Content-Encoding": encoding}
            statuses[path, encoding] = http.post(path, body=b"text=a", headers=sent).status
        chunks = iter([b"text=", b"a" * 70_000, b"&username=b"])
        answer = http.post(path, body=chunks, headers={"Content-Type": FORM})
        statuses[path, "chunks"] = answer.status
    for path in read:
        for target in TARGETS:
            statuses[path, target[:40]] = http.get(path + target).status

    assert {what: status for what, status in statuses.items() if status >= 500} == {}
    assert re.findall(r'_count\{.*status="5.*', http.get("/metrics").text) == []
    assert service.process.is_running
