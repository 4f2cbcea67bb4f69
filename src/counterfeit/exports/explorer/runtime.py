"""ONNX Runtime Web, which runs networks in the browser: fetched once, kept in the cache folder.

Its WebAssembly back end alone, single-threaded with SIMD: what a file on disk may use.
"""

import shutil
import tarfile
from functools import partial
from pathlib import Path

from counterfeit.data.catalogue import INTERNET, NPM, Published
from counterfeit.data.published import data_folder, fetch_whole
from counterfeit.data.sources import Source, from_npm, from_web

VERSION = "1.30.0"
SCRIPT = "ort.wasm.bundle.min.mjs"
BINARY = "ort-wasm-simd-threaded.wasm"

LICENCE = Path(__file__).with_name("onnxruntime-LICENSE")

_PACKAGE = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
_ADDRESS = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    for name in (SCRIPT, BINARY):
        member = archive.extractfile(f"package/dist/{name}")
        assert member is not None  # of a package whose checksum is right
        with member, (folder / name).open("wb") as target:
            shutil.copyfileobj(member, target)


def _from_registry(folder: Path) -> None:
    from_web(_ADDRESS, _PACKAGE, folder)
    with tarfile.open(folder / _ADDRESS.rpartition("/")[2]) as archive:
        _unpack(archive, folder)


RUNTIME = Published(
    checksums={
        SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
        BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    },
    sources=(
        Source(
            f"npm package onnxruntime-web {VERSION}",
            NPM,
            partial(from_npm, f"onnxruntime-web@{VERSION}", _PACKAGE, _unpack),
        ),
        Source("the npm registry's address", INTERNET, _from_registry),
    ),
    licence="MIT",
)


def fetched() -> Path:
    """The folder that it is kept in, where it lies.

    Raises:
        CounterfeitError: it is not there yet, and no source could provide it.
    """
    return fetch_whole("onnxruntime-web", RUNTIME, data_folder() / f"onnxruntime-web-{VERSION}")


def runtime() -> tuple[str, bytes]:
    """The script, of a classic worker, which defines `ort`, and the WebAssembly binary.

    Raises:
        CounterfeitError: see `fetched`.
    """
    folder = fetched()
    script = (folder / SCRIPT).read_text(encoding="utf-8")
    return _as_classic(script), (folder / BINARY).read_bytes()


def _as_classic(module: str) -> str:
    """A module's script as one of a classic worker, where its exports are the properties of a
    constant `ort`: browsers start no module from within a file on disk."""
    start = module.rindex("export{")
    names = module[start + len("export{") : module.index("}", start)]
    pairs = (name.split(" as ") for name in names.split(","))
    properties = ",".join(f"{name}:{own}" for own, name in pairs)
    script = module[:start].replace("import.meta.url", "location.href")
    return f"{script}const ort={{{properties}}};\n"
