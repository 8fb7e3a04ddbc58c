"""Where a request comes from: the client's address, across proxies that the operator trusts.

Each proxy appends the address of its own client to `X-Forwarded-For`. Only the entries appended by
trusted proxies can be believed, so the header is read from the right, and the first address that is
not a trusted proxy's is the client's.
"""

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN = "unknown"
# Providers give each customer at least this much of IPv6.
CUSTOMERS_IPV6_BITS = 64

# 203.0.113.7:1234 or [2001:db8::1]:1234
_WITH_PORT = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\]):[0-9]{1,5}", re.ASCII)


async def _never() -> None:
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a request; `user_agent` is the name that it gives itself.

    `gone` waits until the client has closed the connection, and then raises; with it, work that
    waits for its turn can end early. Call it after the body has been read.
    """

    address: str
    user_agent: str
    request_id: str
    gone: Callable[[], Awaitable[None]] = field(default=_never, repr=False, compare=False)

    @property
    def network(self) -> str:
        """What limits count by: the IPv4 address, or the IPv6 network of 64 bits."""
        return network_of(self.address)


# A client sends many requests.
@lru_cache(maxsize=1024)
def client_address(peer: str | None, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """Return the address of a client.

    `peer` is the other end of the connection, and `forwarded_for` the header, with several joined
    by commas.
    """
    address = _parse(peer or "")
    for entry in reversed(forwarded_for.split(",")):
        if address is None or not any(address in network for network in trusted):
            break
        if (earlier := _parse(_without_port(entry.strip()))) is None:
            break
        address = earlier
    return UNKNOWN if address is None else str(address)


def network_of(address: str) -> str:
    """Return the IPv4 address itself, or the IPv6 network of 64 bits that the address is in."""
    parsed = _parse(address)
    if not isinstance(parsed, ipaddress.IPv6Address):
        return address
    return str(ipaddress.ip_network((parsed, CUSTOMERS_IPV6_BITS), strict=False))


def is_in(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)


def _without_port(entry: str) -> str:
    """Return the address of an entry; some proxies append the port of the connection."""
    match = _WITH_PORT.fullmatch(entry)
    return entry if match is None else match[1] or match[2]


def _parse(text: str) -> Address | None:
    """Return the address, in IPv4 if it is one that IPv6 maps; None if it is none."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
