"""The page /playground."""

from nicegui import events, ui
from starlette.responses import Response

from counterfeit.language import english
from counterfeit.view.frame import TEMPLATES, page, route
from counterfeit.view.playground.visit import Visit

DRAWING = "drawing.js"


class Playground(ui.element, component=TEMPLATES / "playground.js"):
    """Controls and pictures. It emits `ask`, and is answered by its method `answer`."""


@page("/playground", english("Playground"))
def playground() -> None:
    style = (TEMPLATES / "playground.css").read_text("utf-8")
    ui.add_head_html(f'<style>{style}</style><script src="/playground/{DRAWING}"></script>')
    shown, visit = Playground(), Visit()

    async def answer(event: events.GenericEventArguments) -> None:
        if (picture := await visit.answer(event.args)) is not None:
            shown.run_method("answer", picture)

    shown.on("ask", answer)
    ui.context.client.on_delete(visit.leave)


@route(f"/playground/{DRAWING}")
def _drawing() -> Response:
    return Response((TEMPLATES / DRAWING).read_text("utf-8"), media_type="text/javascript")
