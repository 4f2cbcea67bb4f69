"""A model card: what a generator is, how good it is, what was found wrong, how to load it.

It is in English, whoever writes it, as the Hub's are.
"""

from string import Template

from counterfeit import data
from counterfeit.exports.portable import Portable
from counterfeit.insight.diagnose import diagnose
from counterfeit.insight.numbers import real_number, sample_number
from counterfeit.insight.tables import GOOD, place, protocol
from counterfeit.insight.verdict import judge
from counterfeit.language import speaking, translated
from counterfeit.measure.names import MetricName, like, named
from counterfeit.run import Run
from counterfeit.run.rows import Measurements

CARD = Template("""\
---
library_name: counterfeit
pipeline_tag: unconditional-image-generation
tags:
- gan
- $family
- safetensors
---

# $run

The generator of a GAN: from $latents latents$told to $images of $data. It was trained with
counterfeit by the recipe `$recipe` ($title).

![One hundred of its images$rows](samples.png)

## How good it is

$verdict
$metrics
## What was found

$findings

## How to load it

With torch and safetensors alone, from this folder:

```python
$imports

network = load()
images = network($given)  # (16, $shape), in [0, 1]
```

With counterfeit, from the Hub or from a folder:

```python
from counterfeit.exports.hub import Generator

network = Generator.from_pretrained("USER/NAME")
```

BatchNorm, where it has any, uses its running statistics$averaged. `config.json` says how latents
are drawn, which classes there are, and everything that training depended on.

## How it was trained

- recipe: `$recipe`, after $source
- data: $data$size
- epochs: $epoch of $epochs, $steps updates of the generator, batches of $batch
- seed: $seed
- made with: counterfeit $version

## Licence

The weights have no licence yet: whoever publishes them chooses one, as `license:` in the first
lines of this file. $licence counterfeit itself is MIT.
""")


def card(run: Run, ready: Portable) -> str:
    """The text of a generator's README.md."""
    with speaking("en"):
        return _card(run, ready)


def _card(run: Run, ready: Portable) -> str:
    facts, spec = ready.facts, run.recipe
    channels, height, width = run.image_shape
    classes = len(run.classes)
    trained_on = run.trained_on
    findings = diagnose(run, looking=False)
    return CARD.substitute(
        family=spec.generator.name,
        run=facts["run"],
        latents=f"{ready.inputs[0].shape[1]}-dimensional",
        told=f" and one of {classes} classes" if classes else "",
        images=f"{height}x{width} {'gray' if channels == 1 else 'RGB'} images",
        data=f"`{facts['data']}`",
        recipe=spec.name,
        title=spec.title,
        rows=", in rows of a class" if classes else "",
        verdict=_later(run, facts["step"]) + judge(run, findings).sentence,
        metrics=_metrics(facts["metrics"], run.real_scores),
        findings="\n".join(
            f"- **{each.title}** ({each.severity}, {each.span}): {each.meaning}"
            for each in findings
        )
        or "Nothing: no detector saw a failure.",
        imports=("import torch\n" if classes else "") + "from generator import latents, load",
        given="latents(16)" + (f", torch.arange(16) % {classes}" if classes else ""),
        shape=f"{channels}, {height}, {width}",
        averaged=", and its weights are an average over training" * (spec.generator.ema_decay > 0),
        source=spec.source,
        size=f", {trained_on.images:,} images" if trained_on else "",
        epoch=f"{facts['epoch']:g}",
        epochs=spec.training.epochs,
        steps=f"{facts['step']:,}",
        batch=spec.training.batch_size,
        seed=run.seed,
        version=facts["counterfeit"],
        licence=_licence(spec.data.name),
    )


def _later(run: Run, step: int) -> str:
    """What is said before a verdict that is on more than the state that is exported."""
    row = next((row for row in reversed(run.log) if row["step"] > step), None)
    return f"Of the run at its end, epoch {row['epoch']:.4g}: " if row else ""


def _metrics(measured: Measurements, real: Measurements) -> str:
    """A table of what is not of single classes, and how it was measured; "" without any."""
    names = sorted(map(MetricName.parse, measured), key=place)
    metrics = dict.fromkeys(each.metric for each in names if each.of_class is None)
    keys = [key for metric in metrics if (key := named(metric, measured))]
    if not keys:
        return ""
    rows = ["| metric | samples | real images | good is | full name |", "|---|---|---|---|---|"]
    for key in keys:
        name, ceiling = MetricName.parse(key), like(key, real)
        cells = (
            name.short,
            sample_number(key, measured[key], None if ceiling is None else real[ceiling]),
            real_number(key, real),
            translated(GOOD.get(name.metric, "")),
            f"`{key}`",
        )
        rows.append(f"| {' | '.join(cells)} |")
    how = " ".join(protocol({key: measured[key] for key in keys}, real))
    return "\n".join(["", *rows, "", how, ""])


def _licence(name: str) -> str:
    """What is known of the licence of the images it learned from."""
    known = data.origin(name)
    if not known:
        return "Mind the licence of the images that it was trained on."
    return f"Of the images that it was trained on: {'; '.join(known)}."
