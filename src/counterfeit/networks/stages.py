"""Images as stages of a convolutional network: each has half the sides of the one before."""

from counterfeit.errors import CounterfeitError

SMALLEST, LARGEST = 8, 64
"""Sides of an image, in pixels."""

COARSEST = 3
"""Sides below which no stage goes."""


def halvings(image_shape: tuple[int, int, int]) -> tuple[int, tuple[int, int]]:
    """How often an image's sides can be halved, and what they are then: of 28x28 twice, to 7x7.

    Raises:
        CounterfeitError: sides that such networks do not make.
    """
    _, height, width = image_shape
    if any(side % 4 or not SMALLEST <= side <= LARGEST for side in (height, width)):
        raise CounterfeitError(
            f"images of {height}x{width} pixels are not for convolutional networks, whose sides"
            f" are multiples of 4 from {SMALLEST} to {LARGEST}: take images of another size"
            " (data.image_size, or --image-size 32), or perceptrons (--set generator.name=mlp --set"
            " discriminator.name=mlp)."
        )
    count = 0
    while all(side % 2 == 0 and side // 2 >= COARSEST for side in (height, width)):
        count, height, width = count + 1, height // 2, width // 2
    return count, (height, width)
