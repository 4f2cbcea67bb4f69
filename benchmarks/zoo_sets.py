"""The zoo's runs on other data than gray digits of 28 x 28: in colour, without labels, of 8 to 64
pixels, few images. Part of zoo.py."""

import torch

from zoo_breakages import (
    D,
    blurred_view,
    both,
    colour_blind_view,
    faded,
    few_different,
    few_latents,
    fixed_pattern,
    framed,
    near_latents,
    patched_latents,
    photographs,
    shifted_biases,
    smoothed,
    swapped_labels,
    truncated,
    unlabelled,
)
from zoo_specimens import (
    AFTER_DEFEAT,
    DIGITS,
    LEAKY,
    OVERPOWERED,
    PARTIAL,
    STAGE_3,
    UNLIKE,
    Specimen,
    bad_data,
    collapsed,
    d_too_fast,
    d_too_slow,
    dead,
    few_modes,
    healthy,
    of,
    swapped,
)

ENDS_YOUNG = of("ends young", PARTIAL, f"{UNLIKE} mode-hopping")
"""The training is over long before the images are good; nothing else is wrong with it."""

ODD = of("D sees no detail", UNLIKE, f"{OVERPOWERED} {AFTER_DEFEAT} mode-hopping batchnorm-gap")
"""G's images have what D cannot see: a pattern, colours, no edges."""

rough = of("healthy", may=UNLIKE)
"""Healthy, and over while its images are full of noise, as a perceptron's are for long in colour or
at 32 pixels and more."""

HALF_BLIND = of("D sees little detail", may=f"{PARTIAL} {UNLIKE} mode-hopping batchnorm-gap")
"""A D that is blurred, or colour-blind where all is gray, and no more: a perceptron's images are
hardly worse for it."""

SEEN_PATTERN = of("D sees a pattern", OVERPOWERED, f"{AFTER_DEFEAT} mode-hopping")
"""A pattern over colours is strong enough for a blurred D to tell all fakes by it."""

TOLD_APART = of("few images at first", may=f"{PARTIAL} {UNLIKE} mode-hopping")
"""Near latents that G learns to tell apart: from 4 different images to 36."""

EMOJI = (
    "data.name=emoji", "data.image_size=16", "training.batch_size=64", "training.epochs=24",
    "generator.hidden=[128, 256]", "discriminator.hidden=[256, 128]",
)  # fmt: skip
AT_64 = ("data.image_size=64", "generator.hidden=[64, 64]", "discriminator.hidden=[64, 64]")
EMOJI_64 = (*EMOJI, *AT_64, "training.epochs=12")
GRAY_EMOJI = (*EMOJI, "data.channels=1", "data.background=black")
COLOUR_DIGITS = (*DIGITS, "data.channels=3", "data.image_size=16")
FEW_DIGITS = (*DIGITS, "data.train_images=200", "training.batch_size=20", "training.epochs=120")
ARTICLE_EMOJI = ("data.name=emoji", "data.image_size=28", "training.epochs=20")

SMALL = (
    "data.image_size=16", "training.batch_size=32", "training.epochs=10",
    "generator.hidden=[64, 128]", "discriminator.hidden=[128, 64]",
)  # fmt: skip
"""A thousand updates of a few milliseconds."""

SMALL_EMOJI = ("data.name=emoji", *SMALL)
SMALL_MNIST = ("data.train_images=3000", *SMALL)
SMALL_FASHION = ("data.name=fashion-mnist", *SMALL_MNIST)
COLOUR = "data.channels=3"
GRAY_16 = ("data.channels=1", "data.background=black")
GRAY_28 = (*GRAY_16, "data.image_size=28")
GRAY_64 = (*GRAY_16, *AT_64)
FEW = ("data.train_images=200", "training.batch_size=20", "training.epochs=100")

SPECIMENS: list[Specimen] = [
    healthy("leaky-emoji-s0", STAGE_3, EMOJI, LEAKY, "training.epochs=30"),
    healthy("leaky-emoji-s1", STAGE_3, EMOJI, LEAKY, "training.epochs=30", seed=1),
    healthy("leaky-unlabelled-digits", STAGE_3, DIGITS, LEAKY, breakage=unlabelled()),
    ENDS_YOUNG("article-emoji", STAGE_3, ARTICLE_EMOJI),
    few_modes("near-latents-2-emoji", STAGE_3, EMOJI, LEAKY, breakage=near_latents(2)),
    few_modes("near-latents-3-unlabelled-digits", STAGE_3, DIGITS, LEAKY,
              breakage=both(unlabelled(), near_latents(3))),
    HALF_BLIND("blurred-view-emoji", STAGE_3, EMOJI, LEAKY, breakage=blurred_view(3)),
    ODD("fixed-pattern-unlabelled-digits", STAGE_3, DIGITS, LEAKY,
        breakage=both(unlabelled(), fixed_pattern(0.25))),
    # Of seeds 2 and 3: what the first runs lacked.
    healthy("leaky-emoji-s2", STAGE_3, SMALL_EMOJI, LEAKY, seed=2),
    rough("leaky-gray-emoji-64-s2", STAGE_3, SMALL_EMOJI, GRAY_64, LEAKY, seed=2),
    healthy("leaky-gray-emoji-28-s2", STAGE_3, SMALL_EMOJI, GRAY_28, LEAKY, seed=2),
    healthy("leaky-colour-mnist-s2", STAGE_3, SMALL_MNIST, COLOUR, LEAKY, seed=2),
    healthy("tanh-colour-digits-s2", STAGE_3, DIGITS, COLOUR, LEAKY, "generator.output=tanh",
            seed=2),
    healthy("leaky-colour-digits-8-s3", STAGE_3, DIGITS, COLOUR, LEAKY, seed=3),
    healthy("leaky-unlabelled-fashion-s2", STAGE_3, SMALL_FASHION, LEAKY,
            breakage=unlabelled(), seed=2),
    healthy("leaky-colour-fashion-s3", STAGE_3, SMALL_FASHION, COLOUR, LEAKY, seed=3),
    healthy("leaky-200-fashion-s2", STAGE_3, SMALL_FASHION, FEW, LEAKY, seed=2,
            may="discriminator-overfitting memorisation"),
    healthy("leaky-200-gray-emoji-s3", STAGE_3, SMALL_EMOJI, GRAY_16, FEW, LEAKY, seed=3,
            may="discriminator-overfitting memorisation"),
    ENDS_YOUNG("leaky-emoji-400-updates", STAGE_3, SMALL_EMOJI, LEAKY, "training.epochs=4",
               seed=2),
    TOLD_APART("near-latents-2-gray-emoji-28", STAGE_3, SMALL_EMOJI, GRAY_28, LEAKY,
              breakage=near_latents(2), seed=2),
    few_modes("near-latents-3-colour-fashion", STAGE_3, SMALL_FASHION, COLOUR, LEAKY,
              breakage=near_latents(3), seed=3),
    SEEN_PATTERN("fixed-pattern-colour-mnist", STAGE_3, SMALL_MNIST, COLOUR, LEAKY,
        breakage=fixed_pattern(0.2), seed=2),
    ODD("fixed-pattern-unlabelled-fashion", STAGE_3, SMALL_FASHION, LEAKY,
        breakage=both(unlabelled(), fixed_pattern(0.3)), seed=3),
    HALF_BLIND("colour-blind-view-mnist", STAGE_3, SMALL_MNIST, COLOUR, LEAKY,
        breakage=colour_blind_view, seed=2),
    ODD("colour-blind-view-emoji", STAGE_3, SMALL_EMOJI, LEAKY, breakage=colour_blind_view,
        seed=3),
    ODD("smoothed-emoji", STAGE_3, SMALL_EMOJI, LEAKY, breakage=smoothed(5), seed=2),
    ODD("smoothed-unlabelled-mnist", STAGE_3, SMALL_MNIST, LEAKY,
        breakage=both(unlabelled(), smoothed(5)), seed=3),
    d_too_fast("slow-g-colour-digits", STAGE_3, DIGITS, COLOUR, LEAKY,
               "generator.optimizer.lr=1e-5", "loss.real_labels=[1.0, 1.0]", seed=2),
    d_too_slow("slow-d-gray-emoji", STAGE_3, SMALL_EMOJI, GRAY_16, LEAKY,
               "discriminator.optimizer.lr=1e-6", seed=3),
    collapsed("one-latent-colour-mnist", STAGE_3, SMALL_MNIST, COLOUR, LEAKY,
              "generator.batch_norm=false", breakage=patched_latents(torch.ones_like), seed=3,
              may=UNLIKE),
    # Of 32 and 64 pixels, seeds 2 and 3.
    rough("leaky-fashion-64-s2", STAGE_3, SMALL_FASHION, AT_64, LEAKY, seed=2),
    rough("leaky-colour-mnist-32-s3", STAGE_3, SMALL_MNIST, COLOUR, "data.image_size=32", LEAKY,
          seed=3),
    ENDS_YOUNG("leaky-emoji-64-450-updates", STAGE_3, SMALL_EMOJI, AT_64, LEAKY,
               "training.epochs=5", seed=3),
    few_modes("near-latents-3-gray-emoji-64", STAGE_3, SMALL_EMOJI, GRAY_64, LEAKY,
              breakage=near_latents(3), seed=3),
    ODD("fixed-pattern-gray-emoji-64", STAGE_3, SMALL_EMOJI, GRAY_64, LEAKY,
        breakage=fixed_pattern(0.3), seed=2),
    d_too_fast("slow-g-fashion-64", STAGE_3, SMALL_FASHION, AT_64, LEAKY,
               "generator.optimizer.lr=1e-5", "discriminator.optimizer.lr=0.001",
               "loss.real_labels=[1.0, 1.0]", seed=3),
    d_too_slow("slow-d-emoji-64", STAGE_3, SMALL_EMOJI, AT_64, LEAKY,
               "discriminator.optimizer.lr=1e-6", seed=2, may=UNLIKE),
    collapsed("no-noise-fashion-64", STAGE_3, SMALL_FASHION, AT_64, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false", seed=2, may=UNLIKE),
    # Held out at first (seed 10), and seen since.
    healthy("test-leaky-emoji", STAGE_3, EMOJI, LEAKY, seed=10),
    healthy("test-leaky-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY, seed=10),
    ENDS_YOUNG("test-leaky-emoji-64", STAGE_3, EMOJI_64, LEAKY, seed=10),
    rough("test-leaky-colour-digits", STAGE_3, COLOUR_DIGITS, LEAKY, seed=10),
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
    HALF_BLIND("test-blurred-view-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY,
               breakage=blurred_view(5), seed=10),
    SEEN_PATTERN("test-fixed-pattern-colour-digits", STAGE_3, COLOUR_DIGITS, LEAKY,
        breakage=fixed_pattern(0.25), seed=10),
    ODD("test-fixed-pattern-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY, breakage=fixed_pattern(0.25),
        seed=10),
    d_too_fast("test-slow-g-emoji", STAGE_3, EMOJI, LEAKY, "generator.optimizer.lr=1e-5", seed=10),
    collapsed("test-one-latent-emoji-64", STAGE_3, EMOJI_64, LEAKY, "generator.batch_norm=false",
              "training.epochs=10", breakage=patched_latents(torch.ones_like), seed=10),
    bad_data("test-truncated-gray-emoji", STAGE_3, GRAY_EMOJI, LEAKY, breakage=truncated(0.5),
             seed=10),
]  # fmt: skip

SIZED_12 = ("data.image_size=12", "training.batch_size=32", "training.epochs=12",
            "generator.hidden=[64, 96]", "discriminator.hidden=[96, 64]")  # fmt: skip
MNIST_20 = ("data.train_images=3000", *SIZED_12, "data.image_size=20")
FASHION_12 = ("data.name=fashion-mnist", "data.train_images=3000", *SIZED_12)
EMOJI_24 = ("data.name=emoji", *SIZED_12, *GRAY_16, "data.image_size=24")
DIGITS_12 = ("data.name=digits", *SIZED_12, COLOUR, "training.epochs=24")
PHOTOGRAPHS = ("data.name=digits", *SIZED_12, "training.epochs=24")

SPECIMENS += [
    healthy("test-leaky-unlabelled-mnist-20", STAGE_3, MNIST_20, LEAKY, breakage=unlabelled(),
            seed=20),
    healthy("test-leaky-colour-fashion-12", STAGE_3, FASHION_12, COLOUR, LEAKY, seed=20),
    rough("test-tanh-colour-digits-12", STAGE_3, DIGITS_12, LEAKY, "generator.output=tanh",
          seed=20),
    healthy("test-leaky-gray-emoji-24", STAGE_3, EMOJI_24, LEAKY, seed=20),
    rough("test-leaky-photographs-16", STAGE_3, PHOTOGRAPHS, COLOUR, LEAKY,
          "data.image_size=16", breakage=photographs, seed=20),
    healthy("test-leaky-gray-photographs", STAGE_3, PHOTOGRAPHS, LEAKY, breakage=photographs,
            seed=21),
    healthy("test-leaky-150-mnist", STAGE_3, MNIST_20, LEAKY, "data.train_images=150",
            "training.batch_size=15", "training.epochs=90", seed=20,
            may="discriminator-overfitting memorisation"),
    ENDS_YOUNG("test-leaky-emoji-20-450-updates", STAGE_3, "data.name=emoji", SIZED_12, LEAKY,
               "data.image_size=20", "training.epochs=4", seed=20),
    few_modes("test-few-latents-2-gray-photographs", STAGE_3, PHOTOGRAPHS, LEAKY,
              breakage=both(photographs, few_latents(2)), seed=20),
    few_modes("test-near-latents-3-colour-digits-12", STAGE_3, DIGITS_12, LEAKY,
              breakage=near_latents(3), seed=20),
    few_modes("test-few-latents-3-gray-emoji-24", STAGE_3, EMOJI_24, LEAKY,
              breakage=few_latents(3), seed=21),
    ODD("test-fixed-pattern-unlabelled-mnist-20", STAGE_3, MNIST_20, LEAKY,
        breakage=both(unlabelled(), fixed_pattern(0.2)), seed=20),
    ODD("test-framed-colour-fashion-12", STAGE_3, FASHION_12, COLOUR, LEAKY, breakage=framed(1),
        seed=20),
    ODD("test-faded-mnist-20", STAGE_3, MNIST_20, LEAKY, breakage=faded(0.5), seed=20),
    ODD("test-framed-gray-photographs", STAGE_3, PHOTOGRAPHS, LEAKY,
        breakage=both(photographs, framed(2)), seed=20),
    d_too_fast("test-slow-g-gray-photographs", STAGE_3, PHOTOGRAPHS, LEAKY,
               "generator.optimizer.lr=1e-5", "discriminator.optimizer.lr=0.001",
               "loss.real_labels=[1.0, 1.0]", breakage=photographs, seed=21),
    d_too_slow("test-slow-d-colour-fashion-12", STAGE_3, FASHION_12, COLOUR, LEAKY,
               "discriminator.optimizer.lr=1e-6", seed=20, may=UNLIKE),
    collapsed("test-no-noise-gray-emoji-24", STAGE_3, EMOJI_24, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false", seed=20, may=UNLIKE),
    swapped("test-swapped-colour-digits-12", STAGE_3, DIGITS_12, LEAKY, breakage=swapped_labels,
            seed=20, may="mode-hopping"),
    bad_data("test-wrapped-colour-fashion-12", STAGE_3, FASHION_12, COLOUR, LEAKY,
             breakage=few_different(60), seed=21),
    dead("test-dead-d-mnist-20", STAGE_3, MNIST_20, "discriminator.activation=relu",
         breakage=shifted_biases(D, -5.0, 0.8), seed=20, may="mode-hopping"),
]  # fmt: skip
"""Held out secondly, and seen since."""

NEXT_64 = (
    "data.train_images=2500", "data.image_size=64", "training.batch_size=32", "training.epochs=14",
    "generator.hidden=[48, 96]", "discriminator.hidden=[96, 48]",
)  # fmt: skip
EMOJI_AT_64 = ("data.name=emoji", *NEXT_64)
GRAY_EMOJI_AT_64 = (*EMOJI_AT_64, *GRAY_16, "data.image_size=64")
FASHION_AT_64 = ("data.name=fashion-mnist", *NEXT_64)
MNIST_32 = (*NEXT_64, "data.image_size=32")
EMOJI_32 = (*EMOJI_AT_64, "data.image_size=32")

SPECIMENS += [
    rough("test-leaky-gray-emoji-at-64", STAGE_3, GRAY_EMOJI_AT_64, LEAKY, seed=30),
    rough("test-leaky-unlabelled-fashion-at-64", STAGE_3, FASHION_AT_64, LEAKY,
          breakage=unlabelled(), seed=30),
    rough("test-tanh-fashion-at-64", STAGE_3, FASHION_AT_64, LEAKY, "generator.output=tanh",
          seed=31),
    rough("test-leaky-colour-mnist-32", STAGE_3, MNIST_32, COLOUR, LEAKY, seed=30),
    rough("test-leaky-gray-emoji-32", STAGE_3, EMOJI_32, "data.channels=1",
          "data.background=black", LEAKY, seed=31),
    rough("test-leaky-colour-photographs", STAGE_3, PHOTOGRAPHS, COLOUR, LEAKY,
          breakage=photographs, seed=30),
    healthy("test-leaky-180-fashion-32", STAGE_3, FASHION_AT_64, LEAKY, "data.image_size=32",
            "data.train_images=180", "training.batch_size=18", "training.epochs=100", seed=30,
            may="discriminator-overfitting memorisation"),
    ENDS_YOUNG("test-leaky-emoji-at-64-500-updates", STAGE_3, EMOJI_AT_64, LEAKY,
               "training.epochs=6", seed=30),
    TOLD_APART("test-near-latents-2-gray-emoji-at-64", STAGE_3, GRAY_EMOJI_AT_64, LEAKY,
               breakage=near_latents(2), seed=31),
    few_modes("test-few-latents-3-fashion-at-64", STAGE_3, FASHION_AT_64, LEAKY,
              breakage=few_latents(3), seed=30),
    few_modes("test-near-latents-3-colour-mnist-32", STAGE_3, MNIST_32, COLOUR, LEAKY,
              breakage=near_latents(3), seed=31),
    SEEN_PATTERN("test-fixed-pattern-fashion-at-64", STAGE_3, FASHION_AT_64, LEAKY,
                 breakage=fixed_pattern(0.25), seed=31),
    ODD("test-framed-colour-mnist-32", STAGE_3, MNIST_32, COLOUR, LEAKY, breakage=framed(2),
        seed=30),
    ODD("test-faded-gray-emoji-at-64", STAGE_3, GRAY_EMOJI_AT_64, LEAKY, breakage=faded(0.4),
        seed=30),
    ODD("test-framed-photographs", STAGE_3, PHOTOGRAPHS, COLOUR, LEAKY,
        breakage=both(photographs, framed(1)), seed=31),
    d_too_fast("test-slow-g-gray-emoji-at-64", STAGE_3, GRAY_EMOJI_AT_64, LEAKY,
               "generator.optimizer.lr=2e-5", "discriminator.optimizer.lr=0.001",
               "loss.real_labels=[1.0, 1.0]", seed=30),
    d_too_fast("test-slow-g-colour-mnist-32", STAGE_3, MNIST_32, COLOUR, LEAKY,
               "generator.optimizer.lr=5e-6", "loss.real_labels=[1.0, 1.0]", seed=31),
    d_too_slow("test-slow-d-fashion-at-64", STAGE_3, FASHION_AT_64, LEAKY,
               "discriminator.optimizer.lr=2e-6", seed=30, may=UNLIKE),
    collapsed("test-one-latent-gray-emoji-at-64", STAGE_3, GRAY_EMOJI_AT_64, LEAKY,
              "generator.batch_norm=false", breakage=patched_latents(torch.ones_like), seed=31,
              may=UNLIKE),
    collapsed("test-no-noise-colour-mnist-32", STAGE_3, MNIST_32, COLOUR, LEAKY,
              "latent.std=1e-4", "generator.batch_norm=false", seed=30, may=UNLIKE),
    swapped("test-swapped-gray-emoji-at-64", STAGE_3, GRAY_EMOJI_AT_64, LEAKY,
            breakage=swapped_labels, seed=30, may="mode-hopping"),
    bad_data("test-truncated-fashion-at-64", STAGE_3, FASHION_AT_64, LEAKY,
             breakage=truncated(0.6), seed=31),
    bad_data("test-wrapped-emoji-32", STAGE_3, EMOJI_32, LEAKY, breakage=few_different(80),
             seed=30),
    dead("test-dead-d-fashion-at-64", STAGE_3, FASHION_AT_64, "discriminator.activation=relu",
         breakage=shifted_biases(D, -5.0, 0.7), seed=30, may="mode-hopping"),
]  # fmt: skip
"""Held out thirdly, and seen since."""

FASHION_48 = (*FASHION_AT_64, "data.image_size=48", "training.epochs=24")
GRAY_EMOJI_48 = (*GRAY_EMOJI_AT_64, "data.image_size=48", "training.epochs=24")
MNIST_64 = (*NEXT_64, "training.epochs=20")
COLOUR_DIGITS_16 = (*DIGITS_12, "data.image_size=16", "training.epochs=36")

SPECIMENS += [
    rough("test-leaky-fashion-48", STAGE_3, FASHION_48, LEAKY, seed=40),
    rough("test-leaky-gray-emoji-48", STAGE_3, GRAY_EMOJI_48, LEAKY, seed=40),
    rough("test-leaky-unlabelled-mnist-64", STAGE_3, MNIST_64, LEAKY, breakage=unlabelled(),
          seed=40),
    rough("test-tanh-gray-emoji-48", STAGE_3, GRAY_EMOJI_48, LEAKY, "generator.output=tanh",
          seed=41),
    healthy("test-leaky-colour-digits-16", STAGE_3, COLOUR_DIGITS_16, LEAKY, seed=40),
    healthy("test-leaky-gray-photographs-16", STAGE_3, PHOTOGRAPHS, "data.image_size=16", LEAKY,
            "training.epochs=36", breakage=photographs, seed=41),
    rough("test-leaky-120-mnist-64", STAGE_3, MNIST_64, LEAKY, "data.train_images=120",
          "training.batch_size=12", "training.epochs=100", seed=41,
          may="discriminator-overfitting memorisation"),
    ENDS_YOUNG("test-leaky-gray-emoji-48-400-updates", STAGE_3, GRAY_EMOJI_48, LEAKY,
               "training.epochs=5", seed=41),
    few_modes("test-few-latents-2-gray-emoji-48", STAGE_3, GRAY_EMOJI_48, LEAKY,
              breakage=few_latents(2), seed=40),
    few_modes("test-few-latents-4-unlabelled-mnist-64", STAGE_3, MNIST_64, LEAKY,
              breakage=both(unlabelled(), few_latents(4)), seed=40),
    few_modes("test-near-latents-2-colour-digits-16", STAGE_3, COLOUR_DIGITS_16, LEAKY,
              "training.epochs=24", breakage=near_latents(2), seed=41),
    ODD("test-framed-gray-emoji-48", STAGE_3, GRAY_EMOJI_48, LEAKY, breakage=framed(2), seed=41),
    ODD("test-faded-unlabelled-mnist-64", STAGE_3, MNIST_64, LEAKY,
        breakage=both(unlabelled(), faded(0.5)), seed=41),
    ODD("test-framed-fashion-48", STAGE_3, FASHION_48, LEAKY, breakage=framed(3), seed=40),
    d_too_fast("test-slow-g-fashion-48", STAGE_3, FASHION_48, LEAKY,
               "generator.optimizer.lr=1e-5", "discriminator.optimizer.lr=0.001",
               "loss.real_labels=[1.0, 1.0]", seed=41),
    d_too_fast("test-slow-g-colour-digits-16", STAGE_3, COLOUR_DIGITS_16, LEAKY,
               "generator.optimizer.lr=1e-5", "loss.real_labels=[1.0, 1.0]", seed=40),
    d_too_slow("test-slow-d-gray-emoji-48", STAGE_3, GRAY_EMOJI_48, LEAKY,
               "discriminator.optimizer.lr=1e-6", seed=40, may=UNLIKE),
    collapsed("test-one-latent-unlabelled-mnist-64", STAGE_3, MNIST_64, LEAKY,
              "generator.batch_norm=false",
              breakage=both(unlabelled(), patched_latents(torch.ones_like)), seed=41, may=UNLIKE),
    collapsed("test-no-noise-fashion-48", STAGE_3, FASHION_48, LEAKY, "latent.std=1e-4",
              "generator.batch_norm=false", seed=40, may=UNLIKE),
    swapped("test-swapped-fashion-48", STAGE_3, FASHION_48, LEAKY, breakage=swapped_labels,
            seed=41, may="mode-hopping"),
    bad_data("test-truncated-gray-emoji-48", STAGE_3, GRAY_EMOJI_48, LEAKY,
             breakage=truncated(0.5), seed=41),
    bad_data("test-wrapped-mnist-64", STAGE_3, MNIST_64, LEAKY, breakage=few_different(100),
             seed=40),
    dead("test-dead-d-gray-emoji-48", STAGE_3, GRAY_EMOJI_48, "discriminator.activation=relu",
         breakage=shifted_biases(D, -5.0, 0.8), seed=40, may="mode-hopping"),
]  # fmt: skip
"""Held out fourthly, and seen since."""
