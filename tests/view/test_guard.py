"""Only this machine's own pages may ask, and only to read."""

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from counterfeit.view.guard import COOKIE, Guard, is_loopback


def asked(
    headers: dict[str, str],
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    method: str = "GET",
    query: str = "",
    kind: str = "http",
    path: str = "/run",
) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer; of a web socket, 101 where it was let in."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await PlainTextResponse("let in")(scope, receive, send)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": kind, "method": method, "path": path, "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(Guard(app, host, token)(scope, receive, send))
    first = sent[0]
    if kind == "websocket":
        return 101 if first["type"] == "websocket.accept" else 403, {}
    return first["status"], {key.decode(): value.decode() for key, value in first["headers"]}


OURS = "127.0.0.1:8600"


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({"Host": OURS}, True),
        ({"Host": "localhost:8600", "Origin": "http://localhost:8600"}, True),
        ({"Host": "[::1]:9000"}, True),  # a port that is forwarded
        ({"Host": "evil.example:8600"}, False),  # rebound to this address
        ({"Host": "localhost.evil.example"}, False),
        ({"Host": "192.168.1.5:8600"}, False),
        ({}, False),
        ({"Host": "["}, False),
        ({"Host": "localhost:many"}, False),
        ({"Host": OURS, "Origin": "http://evil.example"}, False),
        ({"Host": OURS, "Origin": "http://127.0.0.1:9999"}, False),  # another server here
        ({"Host": OURS, "Origin": "null"}, False),
        ({"Host": OURS, "Origin": "http://["}, False),
    ],
)
def test_foreign_hosts_and_pages_are_refused(
    headers: dict[str, str], is_let_in: bool, kind: str
) -> None:
    status, _ = asked(headers, kind=kind)
    assert (status in (200, 101)) is is_let_in


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(method: str) -> None:
    assert asked({"Host": OURS, "Origin": f"http://{OURS}"}, method=method)[0] == 405
    assert asked({"Host": OURS}, method="HEAD")[0] == 200


def test_every_answer_says_that_nothing_comes_from_elsewhere() -> None:
    for headers in ({"Host": OURS}, {"Host": "evil.example"}):
        policy = asked(headers)[1]["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "*" not in policy


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_from_elsewhere_a_token_is_shown_once_and_kept_as_a_cookie(kind: str) -> None:
    def of(
        query: str = "", cookie: str = "", host: str = "192.168.1.5:8600"
    ) -> tuple[int, dict[str, str]]:
        headers = {"Host": host, "Cookie": cookie}
        return asked(headers, host="0.0.0.0", token="secret", query=query, kind=kind)

    assert of()[0] == 403
    assert of(query="token=guess")[0] == 403
    cookie = COOKIE.format(port=8600)
    assert of(cookie=f"{cookie}=guess")[0] == 403
    assert of(cookie=f"{cookie}=secret")[0] in (200, 101)
    assert of(cookie=f"{cookie}=secret", host="192.168.1.5:8601")[0] == 403  # another server
    assert of(cookie=f"{COOKIE.format(port=80)}=secret", host="192.168.1.5")[0] in (200, 101)
    status, headers = of(query="token=secret")
    if kind == "http":
        assert (status, headers["location"]) == (303, "/run")
        assert headers["set-cookie"].startswith(f"{cookie}=secret;")
        assert "HttpOnly" in headers["set-cookie"]
        assert "SameSite=strict" in headers["set-cookie"]


def test_who_is_let_in_goes_where_the_address_led() -> None:
    asked_for = "token=secret&of=runs%2Fa+b&of=runs%2Fc&empty="
    _, headers = asked({"Host": OURS}, token="secret", query=asked_for)
    assert headers["location"] == "/run?of=runs%2Fa+b&of=runs%2Fc&empty="


def test_no_address_leads_to_another_host() -> None:
    _, headers = asked({"Host": OURS}, token="secret", query="token=secret", path="//evil.example")
    assert headers["location"] == "/evil.example"


def test_names_of_this_machine() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.1.2.3", "::1", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "example.org", ""]))
