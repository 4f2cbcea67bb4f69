"""How a notebook shows a run: its newest images, losses and answers, and how it stands.

One fragment of HTML, without script and styles of the page's, which shows as well on black.
"""

import base64
import io

from markupsafe import Markup
from PIL import Image

from counterfeit.errors import CounterfeitError
from counterfeit.insight.accounts import finding_line
from counterfeit.insight.charts import TIMELINES
from counterfeit.insight.charts.grids import COLUMNS, grid
from counterfeit.insight.charts.save import encoded
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.report.comparison import facts, headings_of
from counterfeit.insight.report.panels import compact, marked
from counterfeit.insight.verdict import judge
from counterfeit.language import tr
from counterfeit.run import Run
from counterfeit.run.findings import Finding

WIDTH = 300
"""Of the images in pixels, about; a chart is half wider."""

GAP = 12
"""Between what stands beside each other, in pixels."""

MOST_BYTES = 100_000
"""Of the images. Larger ones are compressed with loss."""

FINDINGS = 3
"""As many are told, the worst."""

CARD = Markup(
    '<div style="font:14px/1.45 system-ui,sans-serif;color:inherit;max-width:{width}px">'
    '<div style="font-weight:600">{heading}</div>'
    '<div style="opacity:.75">{facts}</div>'
    '<p style="margin:.5em 0">{verdict}</p>'
    '<div style="display:flex;flex-wrap:wrap;gap:{gap}px">'
    "<div>{images}{answers}</div><div>{losses}</div></div>"
    '{findings}<div style="opacity:.75;margin-top:.5em"><code>{path}</code></div></div>'
)
PICTURE = Markup(
    '<figure style="margin:0"><img alt="{alt}" title="{alt}" width="{width}" height="{height}"'
    ' style="max-width:100%;height:auto;{style}" src="data:image/webp;base64,{data}">'
    '<figcaption style="opacity:.75;font-size:12px">{caption}</figcaption></figure>'
)
FINDING = Markup('<p style="margin:.3em 0">{line}</p>')


def card(run: Run) -> str:
    """A run, finished or not, as it stands in its files.

    Raises:
        CounterfeitError: a file is damaged.
    """
    findings = diagnose(run, looking=False)
    told = facts(run)
    keys = (tr("recipe"), tr("seed"), tr("data"), tr("epochs"), tr("updates of G"))
    return CARD.format(
        width=3 * WIDTH + GAP,
        gap=GAP,
        heading=headings_of([run])[0],
        facts=" · ".join(f"{key} {told[key]}" for key in keys if key in told),
        verdict=judge(run, findings).sentence,
        images=_images(run),
        losses=_chart(run, "losses", findings),
        answers=_chart(run, "outputs", findings) or _chart(run, "scores", findings),
        findings=Markup("").join(
            FINDING.format(line=finding_line(finding)) for finding in findings[:FINDINGS]
        ),
        path=str(run.path),
    )


def _images(run: Run) -> Markup:
    """Of the fixed latents, as they are now."""
    if not (epochs := run.snapshot_epochs):
        return Markup("")
    images = run.snapshot(epochs[-1])
    picture = grid(images, COLUMNS, scale=1)
    content = compact(picture, "pixels")
    if len(content) > MOST_BYTES:
        content = _lossy(picture)
    scale = max(1, round(WIDTH / picture.width))
    return PICTURE.format(
        alt=tr("the images of the 100 fixed latents"),
        width=picture.width * scale,
        height=picture.height * scale,
        style="image-rendering:pixelated",
        data=base64.b64encode(content).decode(),
        caption=tr("After epoch {epoch}.", epoch=str(epochs[-1])),
    )


def _lossy(picture: Image.Image) -> bytes:
    """In as many bytes as the images may take, at the expense of detail, and then of size."""
    for quality in (80, 40, 10):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality)
        if buffer.tell() <= MOST_BYTES:
            return buffer.getvalue()
    return _lossy(picture.reduce(2))


def _chart(run: Run, name: str, findings: list[Finding]) -> Markup:
    """On white, so that it reads on any page; nothing where the run has not what it takes."""
    try:
        figure = TIMELINES[name](run, marked(name, findings))
    except CounterfeitError:
        return Markup("")
    picture = Image.open(io.BytesIO(encoded(figure, "png")))
    width = 3 * WIDTH // 2  # drawn finely, for dense screens
    return PICTURE.format(
        alt=name,
        width=width,
        height=picture.height * width // picture.width,
        style="background:white;border-radius:4px",
        data=base64.b64encode(compact(picture, "chart")).decode(),
        caption="",
    )
