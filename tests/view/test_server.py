"""The server's process: it ends when it is told to, whatever goes on."""

import signal
import socket
from pathlib import Path

import pytest
from serving import SOON_SECONDS, started

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
