"""The losses of the two-player game, as pure functions of the discriminator's logits.

With D(x) = sigmoid(f(x)):  -log D = softplus(-f)  and  -log(1 - D) = softplus(f).
All losses are means over the batch, in nats, and are minimised.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


def value(real_logits: Float[Tensor, " N"], fake_logits: Float[Tensor, " M"]) -> Float[Tensor, ""]:
    """V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))], which D maximises and G minimises.

    At the optimum, where p_g = p_data and D = 1/2 everywhere, it is -log 4.

    Source: Goodfellow et al. 2014 (arXiv 1406.2661), equation 1.
    """
    return -softplus(-real_logits).mean() - softplus(fake_logits).mean()


def discriminator_loss(
    real_logits: Float[Tensor, " N"],
    fake_logits: Float[Tensor, " M"],
    real_labels: Float[Tensor, " N"] | float = 1.0,
) -> Float[Tensor, ""]:
    """The mean of two cross entropies: real images against `real_labels`, fakes against 0.

    For labels of 1 it is -V(D, G) / 2, and log 2 for an undecided D. Labels below 1 are the
    one-sided smoothing of Salimans et al. 2016 (arXiv 1606.03498), section 3.4.
    """
    # t softplus(-f) + (1 - t) softplus(f) = softplus(f) - t f
    real = (softplus(real_logits) - real_labels * real_logits).mean()
    fake = softplus(fake_logits).mean()
    return (real + fake) / 2


def nonsaturating_generator_loss(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, ""]:
    """E[-log D(G(z))]: same fixed point as minimax, strong gradients when D rejects the fakes.

    Source: Goodfellow et al. 2014, section 3.
    """
    return softplus(-fake_logits).mean()


def minimax_generator_loss(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, ""]:
    """E[log(1 - D(G(z)))], G's part of equation 1; its gradient vanishes when D rejects the fakes.

    Source: Goodfellow et al. 2014, equation 1.
    """
    return -softplus(fake_logits).mean()


GENERATOR_LOSSES = {
    "non-saturating": nonsaturating_generator_loss,
    "minimax": minimax_generator_loss,
}


# The losses' derivatives by each logit, for updates that run without autograd.


def discriminator_slopes(
    real_logits: Float[Tensor, " N"],
    fake_logits: Float[Tensor, " M"],
    real_labels: Float[Tensor, " N"] | float = 1.0,
) -> tuple[Float[Tensor, " N"], Float[Tensor, " M"]]:
    """Of `discriminator_loss`: (D(x) - t) / 2N and D(G(z)) / 2M."""
    real = (real_logits.sigmoid() - real_labels) / (2 * len(real_logits))
    return real, fake_logits.sigmoid() / (2 * len(fake_logits))


def nonsaturating_generator_slopes(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Of `nonsaturating_generator_loss`: -(1 - D(G(z))) / N."""
    return (-fake_logits).sigmoid() / -len(fake_logits)


def minimax_generator_slopes(fake_logits: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Of `minimax_generator_loss`: -D(G(z)) / N."""
    return fake_logits.sigmoid() / -len(fake_logits)


GENERATOR_SLOPES = {
    "non-saturating": nonsaturating_generator_slopes,
    "minimax": minimax_generator_slopes,
}
