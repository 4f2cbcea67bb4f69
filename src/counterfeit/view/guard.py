"""What stands before everything: who may ask, for what, and what a page may do.

A server on this machine can be asked by any page that the user has open. So requests must name this
server as their host, which a foreign name that was rebound to this address does not; they must come
from a page of ours, or from none, web sockets included; and they may only read.
"""

import hmac
import ipaddress
import socket
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "counterfeit-view-{port}"
"""As a browser keeps one jar for all ports of a host."""

POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; worker-src 'self' blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self';"
    " connect-src 'self' data: blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""NiceGUI's scripts stand in its pages, and Vue compiles templates; nothing is from elsewhere."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether an address or name is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """The application, behind these rules.

    Args:
        host: that the server is bound to.
        token: that a browser must have shown once; None where none is needed.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self.app = app
        self.host = host
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None and scope["type"] == "http" and self._shown(scope):
            refusal = self._admission(scope, headers)
        if refusal is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Why not; None where nothing speaks against it."""
        asked = headers.get("host", "")
        if not self._is_ours(asked):
            return PlainTextResponse("This server does not go by that name.\n", 421)
        if not _is_from(headers.get("origin"), asked):
            return PlainTextResponse("Pages of other sites may not ask.\n", 403)
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("This server can only be read.\n", 405, {"Allow": "GET, HEAD"})
        if self.token is not None and not (self._shown(scope) or self._has_cookie(headers)):
            return PlainTextResponse(
                "Open the address that `counterfeit view` printed, with its token.\n", 403
            )
        return None

    def _is_ours(self, asked: str) -> bool:
        """Whether a Host header names this server: whatever the port, which may be forwarded."""
        try:
            parts = urlsplit(f"//{asked}")
            name, _ = parts.hostname or "", parts.port  # neither may be malformed
        except ValueError:
            return False
        if is_loopback(name):
            return True
        if is_loopback(self.host):
            return False
        try:
            ipaddress.ip_address(name)  # an address cannot be rebound
            return True
        except ValueError:
            return name in {self.host, socket.gethostname(), socket.getfqdn()}

    def _shown(self, scope: Scope) -> bool:
        """Whether the address has the token."""
        token = self.token
        return token is not None and any(
            name == "token" and _same(value, token) for name, value in _query(scope)
        )

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(_cookie(headers))
        except CookieError:
            return False
        return morsel is not None and _same(morsel.value, self.token or "")

    def _admission(self, scope: Scope, headers: Headers) -> Response:
        """The same page without the token in its address, which the browser keeps as a cookie."""
        rest = urlencode([each for each in _query(scope) if each[0] != "token"])
        path = "/" + scope["path"].lstrip("/")  # two slashes would name a host
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        response.set_cookie(_cookie(headers), self.token or "", httponly=True, samesite="strict")
        return response


def _query(scope: Scope) -> list[tuple[str, str]]:
    """What stands behind the address."""
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _cookie(headers: Headers) -> str:
    """The name of the cookie, by the port that the browser asks."""
    return COOKIE.format(port=urlsplit(f"//{headers.get('host', '')}").port or 80)


def _is_from(origin: str | None, host: str) -> bool:
    """Whether a page of that host asks, or none."""
    try:
        return origin is None or urlsplit(origin).netloc == host
    except ValueError:
        return False


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _with_headers(send: Send) -> Send:
    async def sending(message: Message | MutableMapping[str, object]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
