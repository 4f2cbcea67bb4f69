"""Downloads from a server on this machine: whole, broken off, absent, and of something else."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torchvision.datasets
from small_set import names_in

from counterfeit import data
from counterfeit.data.catalogue import PUBLISHED
from counterfeit.data.sources import Source, addresses, from_web
from counterfeit.errors import CounterfeitError
from miniatures import SETS, Miniature

OF_TORCHVISION = {
    "kmnist": "KMNIST",
    "emnist": "EMNIST",
    "qmnist": "QMNIST",
    "usps": "USPS",
    "svhn": "SVHN",
}


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_torchvision_s_addresses_are_of_the_files_that_are_kept(name: str) -> None:
    dataset = getattr(torchvision.datasets, OF_TORCHVISION[name])
    files = [url.rpartition("/")[2] for (url, *_), _ in addresses(dataset)]
    assert files == list(PUBLISHED[name].checksums)


Behaviour = Callable[[BaseHTTPRequestHandler, bytes], None]


def whole(answer: BaseHTTPRequestHandler, content: bytes) -> None:
    answer.send_response(200)
    answer.send_header("Content-Length", str(len(content)))
    answer.end_headers()
    answer.wfile.write(content)


def broken_off(answer: BaseHTTPRequestHandler, content: bytes) -> None:
    answer.send_response(200)
    answer.send_header("Content-Length", str(len(content)))
    answer.end_headers()
    answer.wfile.write(content[: len(content) // 2])


def another(answer: BaseHTTPRequestHandler, content: bytes) -> None:
    whole(answer, content[:-1] + b"?")


def absent(answer: BaseHTTPRequestHandler, content: bytes) -> None:
    answer.send_error(404)


@pytest.fixture
def serve(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[dict[str, bytes], Behaviour], str]]:
    """Starts a server of some files; returns its address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers = []

    def serve(files: dict[str, bytes], behaviour: Behaviour) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                behaviour(self, files[self.path.removeprefix("/")])

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def relocate(name: str, made: Miniature, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torchvision say that the set's files are the miniature's, and lie there."""
    dataset = getattr(torchvision.datasets, OF_TORCHVISION[name])
    sums = {file: hashlib.md5(content).hexdigest() for file, content in made.files.items()}
    rows = [(address + file, md5) for file, md5 in sums.items()]
    match name:
        case "emnist":
            ((url, md5),) = rows
            monkeypatch.setattr(dataset, "url", url)
            monkeypatch.setattr(dataset, "md5", md5)
        case "qmnist":
            monkeypatch.setattr(dataset, "resources", {"train": rows[:2], "test": rows[2:]})
        case "usps" | "svhn":
            lists = ([url, url.rpartition("/")[2], md5] for url, md5 in rows)
            monkeypatch.setattr(
                dataset, "split_list", dict(zip(("train", "test"), lists, strict=True))
            )
        case _:
            monkeypatch.setattr(dataset, "mirrors", [address])
            monkeypatch.setattr(dataset, "resources", list(sums.items()))
    small = replace(PUBLISHED[name], checksums=made.checksums)
    monkeypatch.setitem(PUBLISHED, name, small)


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_a_set_is_fetched_kept_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve, name: str
) -> None:
    made = SETS[name]()
    relocate(name, made, serve(made.files, whole), monkeypatch)
    train = data.load(name, "train", tmp_path)
    assert len(train) == len(made.labels["train"])
    assert names_in(tmp_path / name) == sorted(made.files)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (broken_off, "the connection broke"),
        (another, "what came has a wrong hash"),
        (absent, "404 Client Error: Not Found for url: http"),
    ],
)
@pytest.mark.parametrize("name", ["kmnist", "cifar10"])
def test_what_goes_wrong_is_said_with_its_address_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve, name: str, behaviour, why: str
) -> None:
    made = SETS[name]()
    address = serve(made.files, behaviour)
    if name == "cifar10":
        ((file, sha256),) = made.checksums.items()
        url = address + file
        source = Source(url, "connect to the internet", partial(from_web, url, sha256))
        monkeypatch.setitem(
            PUBLISHED, name, replace(PUBLISHED[name], checksums=made.checksums, sources=(source,))
        )
    else:
        relocate(name, made, address, monkeypatch)
    with pytest.raises(CounterfeitError, match=f"cannot get {name}: every source") as caught:
        data.load(name, "train", tmp_path)
    on_disk, told = caught.value.__notes__
    assert f"no whole {next(iter(made.files))}" in on_disk
    assert address in told
    assert f"{why}" in told
    assert told.endswith("; connect to the internet.")
    assert len(told.splitlines()) == 1
    assert names_in(tmp_path / name) == []
