"""Pictures from URLs in requests, without a way into the operator's own network.

A name is resolved once for each connection, all its addresses have to be public, and the connection
goes to the address that was checked: neither a redirect nor a change of the name's address between
check and connection leads elsewhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore

from .errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}
# Networks that older versions of Python take for public: special purposes (RFC 6890), among them
# Oracle's metadata, addresses translated from IPv4 (RFC 6052 and 8215); and the address under which
# Azure serves its machines' metadata.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "64:ff9b::/96", "64:ff9b:1::/48")
)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet.

    An IPv6 address that carries an IPv4 address (mapped, 6to4, Teredo) does not.
    """
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or address.sixtofour is not None or address.teredo is not None
    ):
        return False
    special = address.is_multicast or address.is_reserved or any(address in network for network in _NEVER)
    return address.is_global and not special


async def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]).partition("%")[0] for entry in found]


class _Network(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only."""

    def __init__(self, resolve: Resolve, allowed: Callable[[Address], bool]) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._resolve, self._allowed = resolve, allowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        for address in addresses:
            if not self._allowed(ipaddress.ip_address(address)):
                raise Refused(400, "url_refused", "url: expected a public address, got one that is not")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise Refused(400, "url_refused", "url: expected a public address, got a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class Fetcher:
    """Fetches pictures.

    Parameters
    ----------
    most_bytes : int
        A longer picture is refused.
    seconds : float
        Seconds for the whole of a fetch, redirects included.
    resolve, allowed : callable
        Return the addresses of a name, and say whether an address may be connected to.
    ports : dict of str to int, optional
        The port of each scheme that a URL may name.
    """

    def __init__(
        self,
        most_bytes: int,
        seconds: float,
        *,
        resolve: Resolve = resolved,
        allowed: Callable[[Address], bool] = is_public,
        ports: dict[str, int] | None = None,
    ) -> None:
        self._most_bytes, self._seconds = most_bytes, seconds
        self._network = _Network(resolve, allowed)
        self._ports = _PORTS if ports is None else ports

    async def fetch(self, url: str) -> bytes:
        """Return what a URL holds.

        Raises
        ------
        Refused
            If the URL, or one that it redirects to, is none of the public web, if it holds too much
            or nothing, or if it takes too long.
        """
        try:
            return await asyncio.wait_for(self._followed(url), self._seconds)
        except asyncio.TimeoutError:
            wanted = f"an answer within {self._seconds:g} s"
            raise Refused(400, "url_failed", f"url: expected {wanted}, got none") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            message = f"url: the picture cannot be fetched ({type(error).__name__})"
            raise Refused(400, "url_failed", message) from error

    async def _followed(self, url: str) -> bytes:
        async with httpcore.AsyncConnectionPool(network_backend=self._network) as pool:
            for _ in range(_REDIRECTS + 1):
                self._check(url)
                content, target = await self._one(pool, url)
                if target is None:
                    return content
                url = urljoin(url, target)
        raise Refused(400, "url_failed", f"url: expected at most {_REDIRECTS} redirects, got more")

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
            url.encode("ascii")
        except ValueError:
            raise Refused(400, "url_refused", "url: expected a URL in ASCII, got another text") from None
        if parts.scheme not in self._ports or not parts.hostname:
            raise Refused(400, "url_refused", "url: expected http:// or https:// and a host, got another URL")
        if port not in (None, self._ports[parts.scheme]) or "@" in parts.netloc:
            raise Refused(400, "url_refused", "url: expected neither a port nor a user's name, got one")

    async def _one(self, pool: httpcore.AsyncConnectionPool, url: str) -> tuple[bytes, str | None]:
        """Return what is at a URL, or where it redirects to."""
        headers = [("Host", urlsplit(url).netloc), ("Accept", "image/*"), ("Accept-Encoding", "identity")]
        async with pool.stream("GET", url, headers=headers) as response:
            answered = {name.lower(): value for name, value in response.headers}
            if response.status in (301, 302, 303, 307, 308) and b"location" in answered:
                return b"", answered[b"location"].decode("latin-1")
            if response.status != 200 or answered.get(b"content-encoding", b"identity") != b"identity":
                raise Refused(400, "url_failed", f"url: expected a picture, got status {response.status}")
            content = bytearray()
            async for piece in response.aiter_stream():
                content += piece
                if len(content) > self._most_bytes:
                    message = f"url: expected at most {self._most_bytes} bytes, got more"
                    raise Refused(413, "file_too_large", message)
        return bytes(content), None
