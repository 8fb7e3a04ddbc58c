"""Valid and invalid `Host` values of requests."""

BAD_HOSTS = [
    b"",
    b"Host: a\r\nHost: b\r\n",
    b"Host: a\r\nHost: a\r\n",
    b"Host: a\r\nX-Between: b\r\nhost: a\r\n",
    b"Host:\r\n",
    b"Host: a b\r\n",
    b"Host: a/b\r\n",
    b"Host: user@a\r\n",
    b"Host: a:b\r\n",
    b"Host: a:80:80\r\n",
    b"Host: :80\r\n",
    b"Host: [::1\r\n",
    b"Host: ::1\r\n",
    b"Host: http://a\r\n",
    b"Host: a?b\r\n",
    b"Host: a%zz\r\n",
    b"Host: \xff\r\n",
    b"Host: caf\xc3\xa9.example\r\n",
]

GOOD_HOSTS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.1\r\nHost: a:\r\n",
    b"GET / HTTP/1.1\r\nHost: my_service.example.org.:8000\r\n",
    b"GET / HTTP/1.1\r\nHost: xn--mnchen-3ya.de\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n",
    b"GET / HTTP/1.1\r\nHost: [::1]:8000\r\n",
    b"GET http://example.org/ HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET / HTTP/1.0\r\nHost: a\r\n",
]
