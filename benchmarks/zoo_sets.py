"""The zoo's runs on other data than gray digits of 28 x 28: in colour, without labels, of 8 to 64
pixels, few images. Part of zoo.py."""

import torch

from zoo_breakages import (
    blurred_view,
    both,
    fixed_pattern,
    near_latents,
    patched_latents,
    truncated,
    unlabelled,
)
from zoo_specimens import (
    DIGITS,
    LEAKY,
    PARTIAL,
    STAGE_3,
    UNLIKE,
    Specimen,
    bad_data,
    collapsed,
    d_too_fast,
    few_modes,
    healthy,
    of,
)

ENDS_YOUNG = of("ends young", PARTIAL, f"{UNLIKE} mode-hopping")
"""The training is over long before the images are good; nothing else is wrong with it."""

ODD = of("D sees no detail", UNLIKE, f"{PARTIAL} mode-hopping batchnorm-gap")

EMOJI = (
    "data.name=emoji", "data.image_size=16", "training.batch_size=64", "training.epochs=24",
    "generator.hidden=[128, 256]", "discriminator.hidden=[256, 128]",
)  # fmt: skip
EMOJI_64 = (
    *EMOJI, "data.image_size=64", "training.epochs=12", "generator.hidden=[64, 64]",
    "discriminator.hidden=[64, 64]",
)  # fmt: skip
GRAY_EMOJI = (*EMOJI, "data.channels=1", "data.background=black")
COLOUR_DIGITS = (*DIGITS, "data.channels=3", "data.image_size=16")
FEW_DIGITS = (*DIGITS, "data.train_images=200", "training.batch_size=20", "training.epochs=120")
ARTICLE_EMOJI = ("data.name=emoji", "data.image_size=28", "training.epochs=20")

SPECIMENS: list[Specimen] = [
    healthy("leaky-emoji-s0", STAGE_3, EMOJI, LEAKY, "training.epochs=30"),
    healthy("leaky-emoji-s1", STAGE_3, EMOJI, LEAKY, "training.epochs=30", seed=1),
    healthy("leaky-unlabelled-digits", STAGE_3, DIGITS, LEAKY, breakage=unlabelled()),
    ENDS_YOUNG("article-emoji", STAGE_3, ARTICLE_EMOJI),
    few_modes("near-latents-2-emoji", STAGE_3, EMOJI, LEAKY, breakage=near_latents(2)),
    few_modes("near-latents-3-unlabelled-digits", STAGE_3, DIGITS, LEAKY,
              breakage=both(unlabelled(), near_latents(3))),
    ODD("blurred-view-emoji", STAGE_3, EMOJI, LEAKY, breakage=blurred_view(3)),
    ODD("fixed-pattern-unlabelled-digits", STAGE_3, DIGITS, LEAKY,
        breakage=both(unlabelled(), fixed_pattern(0.25))),
]  # fmt: skip

TEST_SPECIMENS: list[Specimen] = [
    healthy("test-leaky-emoji", STAGE_3, EMOJI, LEAKY, seed=10),
    healthy("test-leaky-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY, seed=10),
    healthy("test-leaky-emoji-64", STAGE_3, EMOJI_64, LEAKY, seed=10),
    healthy("test-leaky-colour-digits", STAGE_3, COLOUR_DIGITS, LEAKY, seed=10),
    healthy("test-leaky-unlabelled-digits", STAGE_3, DIGITS, LEAKY, breakage=unlabelled(),
            seed=10),
    healthy("test-leaky-200-digits", STAGE_3, FEW_DIGITS, LEAKY, seed=10,
            may="discriminator-overfitting memorisation"),
    ENDS_YOUNG("test-article-emoji", STAGE_3, ARTICLE_EMOJI, seed=10),
    few_modes("test-near-latents-3-emoji", STAGE_3, EMOJI, LEAKY, breakage=near_latents(3),
              seed=10),
    few_modes("test-near-latents-2-emoji-64", STAGE_3, EMOJI_64, LEAKY, breakage=near_latents(2),
              seed=10),
    few_modes("test-near-latents-3-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY,
              breakage=near_latents(3), seed=10),
    few_modes("test-near-latents-2-unlabelled-digits", STAGE_3, DIGITS, LEAKY,
              breakage=both(unlabelled(), near_latents(2)), seed=10),
    few_modes("test-near-latents-3-colour-digits", STAGE_3, COLOUR_DIGITS, LEAKY,
              breakage=near_latents(3), seed=10),
    ODD("test-blurred-view-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY, breakage=blurred_view(5),
        seed=10),
    ODD("test-fixed-pattern-colour-digits", STAGE_3, COLOUR_DIGITS, LEAKY,
        breakage=fixed_pattern(0.25), seed=10),
    ODD("test-fixed-pattern-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY, breakage=fixed_pattern(0.25),
        seed=10),
    d_too_fast("test-slow-g-emoji", STAGE_3, EMOJI, LEAKY, "generator.optimizer.lr=1e-5", seed=10),
    collapsed("test-one-latent-emoji-64", STAGE_3, EMOJI_64, LEAKY, "generator.batch_norm=false",
              "training.epochs=10", breakage=patched_latents(torch.ones_like), seed=10),
    bad_data("test-truncated-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY, breakage=truncated(0.5),
             seed=10),
]  # fmt: skip
