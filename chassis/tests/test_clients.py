"""Where a request comes from."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from mythoughts_chassis.api import router_of
from mythoughts_chassis.asgi import ObserveRequests
from mythoughts_chassis.clients import Client, Network, client_address, network_of
from mythoughts_chassis.endpoints import Context, get

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
BROWSER = "203.0.113.7"


@pytest.mark.parametrize("forwarded", ["", "198.51.100.1", "10.0.0.1", "::1, 198.51.100.1", "x"])
def test_header_of_a_stranger_is_ignored(forwarded: str) -> None:
    """A peer that is no trusted proxy is the client, whatever it sends."""
    assert client_address(BROWSER, forwarded, TRUSTED) == BROWSER


@pytest.mark.parametrize(
    "forwarded",
    [
        BROWSER,
        f" {BROWSER} ",
        f"198.51.100.1, {BROWSER}",
        f"198.51.100.1,{BROWSER}, 10.1.1.1",
        f"10.9.9.9, {BROWSER},10.1.1.1,10.2.2.2",
        f"fd00::5, {BROWSER}, fd00::1",
        f"nonsense, {BROWSER}, 10.1.1.1",
        f"::ffff:{BROWSER}",
        f"198.51.100.1:80, {BROWSER}:61234, 10.1.1.1:443",
        f"{BROWSER}, [fd00::1]:443",
    ],
)
def test_address_before_the_trusted_proxies_is_the_clients(forwarded: str) -> None:
    """Only what trusted proxies have appended counts; what is left of it may be forged."""
    assert client_address("10.0.0.1", forwarded, TRUSTED) == BROWSER


@pytest.mark.parametrize(
    "forwarded",
    [
        "",
        ",",
        "unknown",
        f'"{BROWSER}"',
        f"{BROWSER}:",
        f"{BROWSER}:http",
        "[2001:db8::1]",
        "2001:db8::1:443:0:0:0:0:0",
        "203.0.113",
        "203.0.113.07",
        "１.2.3.4",
        f"{BROWSER}, nonsense",
        f"{BROWSER}, ",
        "for=203.0.113.7",
    ],
)
def test_what_is_no_address_ends_the_search(forwarded: str) -> None:
    """An entry that is no address is not skipped: the last proxy counts as the client."""
    assert client_address("10.0.0.1", forwarded, TRUSTED) == "10.0.0.1"


@pytest.mark.parametrize("peer", [None, "", "testclient", "/run/socket"])
def test_peer_without_an_address_is_unknown(peer: str | None) -> None:
    """A connection without an address, as over a Unix socket, is believed nothing."""
    assert client_address(peer, BROWSER, TRUSTED) == "unknown"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (BROWSER, BROWSER),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("command line", "command line"),
    ],
)
def test_network_is_the_address_or_64_bits_of_it(address: str, network: str) -> None:
    """IPv4 addresses count one by one, IPv6 by the part that a provider gives to a customer."""
    assert network_of(address) == network


@settings(derandomize=True, database=None, deadline=None)
@given(
    st.ip_addresses().map(str) | st.none() | st.text(),
    st.lists(st.ip_addresses().map(str) | st.text()).map(",".join),
)
def test_nothing_that_is_sent_raises(peer: str | None, forwarded: str) -> None:
    """Whatever is sent, there is an address, and it is never an untrusted peer's invention."""
    address = client_address(peer, forwarded, TRUSTED)

    assert address == client_address(peer, "", TRUSTED) or network_of(str(peer)) != address


@get("/")
async def show(client: Client) -> dict[str, str]:
    """Show how the service sees the client."""
    return {"address": client.address, "user_agent": client.user_agent}


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [((), "10.0.0.1"), (TRUSTED, BROWSER)],
    ids=["nobody trusted", "proxies trusted"],
)
async def test_several_headers_are_one_list(trusted: tuple[Network, ...], seen: str) -> None:
    """X-Forwarded-For in several headers is read as one, in order, if it is read at all."""
    headers = [
        (b"host", b"localhost"),
        (b"x-forwarded-for", b"198.51.100.1"),
        (b"x-forwarded-for", f"{BROWSER}, 10.5.5.5".encode()),
        (b"x-forwarded-for", b"10.6.6.6"),
    ]

    assert f'"address":"{seen}"'.encode() in await _ask(trusted, headers)


async def _ask(
    trusted: tuple[Network, ...],
    headers: list[tuple[bytes, bytes]],
    *,
    path: str = "/",
    messages: list[dict[str, object]] | None = None,
) -> bytes:
    context = Context(None, None, trusted_proxies=trusted)  # type: ignore[arg-type]
    app = ObserveRequests(router_of([show, wait], context))
    body = b""

    async def receive() -> dict[str, object]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        nonlocal body
        body += message.get("body", b"")  # type: ignore[operator]

    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "http_version": "1.1",
        "headers": headers,
        "client": ("10.0.0.1", 1234),
    }
    typed: tuple[Receive, Send] = (receive, send)  # type: ignore[assignment]
    await app(scope, *typed)
    return body


@get("/wait")
async def wait(client: Client) -> None:
    """Wait until the client has gone."""
    await client.gone()


async def test_client_that_closes_the_connection_is_gone() -> None:
    """Work that waits for its turn learns that the client has gone, and no answer is sent."""
    messages: list[dict[str, object]] = [{"type": "http.request"}, {"type": "http.disconnect"}]

    assert await _ask((), [(b"host", b"localhost")], path="/wait", messages=messages) == b""
    assert messages == []
