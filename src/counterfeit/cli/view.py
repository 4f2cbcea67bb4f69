"""view: a local page on which runs are watched."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from counterfeit import language
from counterfeit.cli.options import Lang, Whole
from counterfeit.optional import needing


def view(
    paths: Annotated[list[Path] | None, Parameter(negative="")] = None,
    /,
    *,
    playground: bool = False,
    host: str = "127.0.0.1",
    port: Whole | None = None,
    open: bool = True,
    lang: Lang = None,
) -> None:
    """Serve a local page on which runs are watched while they train, and compared afterwards.

    It has a playground as well. It only reads, and goes on until Ctrl-C. docs/view.md explains it.

    Args:
        paths: run directories, studies, and folders of them; new runs appear as they are made
            [default: runs].
        playground: open at the playground, where games of points show the theory; it needs no
            runs.
        host: the address to listen on. At one that other machines reach, a token is part of the
            page's address.
        port: where to listen; 0 for any that is free [default: 8600, or the next free one].
        open: open a browser.
    """
    language.use(lang)
    with needing("nicegui"):  # which brings uvicorn and the like, and these may be what is missing
        from counterfeit.view.server import serve
    usual = Path("runs")
    folders = paths or ([] if playground and not usual.is_dir() else [usual])
    at = "/playground" if playground else "/"
    serve(folders, host=host, port=port, open=open, at=at)
