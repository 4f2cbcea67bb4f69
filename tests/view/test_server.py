"""The server's process: it ends when it is told to, whatever goes on."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from serving import SOON_SECONDS, started

from counterfeit.run import Run

UNREAD = 1000
"""Answers of 50 kB, more than what the machine keeps for who does not read."""


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_though_a_browser_does_not_read_what_it_asked_for(
    tmp_path: Path, told: signal.Signals
) -> None:
    with started(tmp_path) as (server, address):
        host = address.removeprefix("http://").rstrip("/")
        name, _, port = host.partition(":")
        with socket.create_connection((name, int(port))) as connection:
            asked = f"GET /script.js HTTP/1.1\r\nHost: {host}\r\n\r\n"
            connection.sendall(UNREAD * asked.encode())
            connection.recv(1)  # it has begun to answer
            server.send_signal(told)
            # A slow server had not filled the machine's buffers: then it ends by the signal itself.
            by_signal = {128 + told, -told}
            assert server.wait(SOON_SECONDS) in ({0} if told == signal.SIGINT else by_signal)


SLOW = """
import sys, time
from counterfeit.view import seen, server
judge = seen.Seen.judge
seen.Seen.judge = lambda self: time.sleep(4) or judge(self)
server.serve(sys.argv[1:], port=0, open=False)
"""


def test_a_page_that_takes_long_to_make_comes(run: Run) -> None:
    command = [sys.executable, "-c", SLOW, str(run.path.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            with urlopen(f"{address}run?of=runs/{run.path.name}", timeout=SOON_SECONDS) as page:
                assert "Too early to judge" in page.read().decode()
        finally:
            server.kill()
