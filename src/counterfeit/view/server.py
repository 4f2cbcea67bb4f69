"""The server: pages, routes and guard put together, on a port of this machine."""

import asyncio
import os
import secrets
import signal
import socket
import sys
import threading
import warnings
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType

import uvicorn
from fastapi import FastAPI
from nicegui import core, ui
from starlette.types import ASGIApp

from counterfeit.arguments import StrPath
from counterfeit.errors import CounterfeitError
from counterfeit.language import current
from counterfeit.view import frame
from counterfeit.view.guard import Guard, is_loopback
from counterfeit.view.places import groups
from counterfeit.view.watch import Watch

PAGES = ("home", "runs", "explore", "playground.page")
"""Modules that make pages, in the order of the navigation."""

PORT = 8600
"""Where nothing else is asked for; the next free one, where that is taken."""

TRIED_PORTS = 20

ENDING_SECONDS = 1.5
"""At most, from a signal to the process's end."""


class Server(uvicorn.Server):
    """uvicorn's, but that it waits for no browser and no thread for long when it is to end.

    Nothing is lost by that: it only reads.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            status = 0 if sig == signal.SIGINT else 128 + sig
            ending = threading.Timer(ENDING_SECONDS, os._exit, [status])
            ending.daemon = True
            ending.start()
        super().handle_exit(sig, frame)


def application(watch: Watch, host: str, token: str | None) -> ASGIApp:
    """All that is served. There is one in a process, as NiceGUI keeps its pages in one place."""
    frame.use(watch)
    for name in PAGES:
        import_module(f"counterfeit.view.{name}")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for path, answer in frame.ROUTES.items():
        app.get(path, response_model=None)(answer)
    core.app.config.socket_io_js_transports = ["websocket"]  # polling would write by POST
    ui.run_with(
        app,
        title="counterfeit",
        dark=None,
        language="ko-KR" if current() == "ko" else "en-US",
        binding_refresh_interval=None,
        message_history_length=100,
        tailwind=False,
        show_welcome_message=False,
    )
    return Guard(app, host, token)


def serve(
    paths: Sequence[StrPath],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    open: bool = True,
    at: str = "/",
) -> None:
    """Serve pages about the runs in `paths` until the process is interrupted.

    Args:
        paths: run directories, studies, and folders of them.
        host: the address to listen on; whoever asks at one that others can reach needs a token.
        port: `PORT` where it is None, or the next free one; 0 for any.
        open: whether to open a browser.
        at: the page whose address is said and opened.

    Raises:
        UsageError: a path is no folder.
        CounterfeitError: it cannot listen there.
    """
    watch = Watch(groups(paths))
    listening = _listen(host, port)
    token = None if is_loopback(host) else secrets.token_urlsafe(16)
    address = _address(host, listening.getsockname()[1], at, token)
    config = uvicorn.Config(application(watch, host, token), log_level="warning")
    server = Server(config)
    print(address, flush=True)
    if open:
        threading.Thread(target=_open, args=(server, address), daemon=True).start()
    # NiceGUI looks at all objects there are for its server, and torch warns of some of its own.
    warnings.filterwarnings("ignore", category=FutureWarning, module="nicegui")
    with suppress(KeyboardInterrupt):
        asyncio.run(server.serve([listening]))


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket that listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ports = range(PORT, PORT + TRIED_PORTS) if port is None else [port]
    error = OSError()
    for each in ports:
        listening = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there, it would share a port that is taken
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, each))
            listening.listen()
            return listening
        except (OSError, OverflowError) as refused:
            listening.close()
            error = refused if isinstance(refused, OSError) else OSError(0, str(refused))
    raise CounterfeitError(
        f"cannot listen on {host}, port {ports[0]}: {error.strerror or error}; another --port or"
        " --host may do."
    )


def _address(host: str, port: int, at: str, token: str | None) -> str:
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}{at}" + (f"?token={token}" if token else "")


def _open(server: uvicorn.Server, address: str) -> None:
    """Open a browser when the server answers."""
    for _ in range(100):
        if server.started:
            webbrowser.open(address)
            return
        threading.Event().wait(0.1)
