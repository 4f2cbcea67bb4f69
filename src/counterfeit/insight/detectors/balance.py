"""Discriminator against generator: one of them has won, or neither is worth beating."""

from dataclasses import replace

from counterfeit.insight.columns import column
from counterfeit.insight.detectors.detector import GAN, GANHACKS, Seen, detector, last_spell
from counterfeit.insight.detectors.record import Record
from counterfeit.insight.detectors.series import grown_up
from counterfeit.language import english

WON_REAL_Q05 = 0.8
WON_FAKE_Q95 = 0.05
WON_EPOCHS = 2


@detector(
    "discriminator-overpowering",
    "critical",
    needs=("d_real_q05", "d_fake_q95"),
    evidence=("d_loss", "d_real_q05", "d_fake_mean", "d_fake_q95", "g_loss", "g_grad_norm"),
    figure="outputs",
    meaning=english(
        "D tells every fake from every real image, so G has nothing left to learn from."
    ),
    advice=english(
        "Slow D down or strengthen G: a lower --set discriminator.optimizer.lr, more"
        " --set discriminator.dropout, or --set generator.batch_norm=true"
        " (generator.norm=batch in a dcgan)."
    ),
    in_words=english(
        "Slow D down or strengthen G: a lower learning rate or more dropout in D, or BatchNorm in"
        " G."
    ),
    source=f"{GAN}, section 3; Arjovsky and Bottou 2017 (arXiv 1701.04862), section 2; "
    f"{GANHACKS}, entry 10",
)
def overpowering(record: Record) -> Seen:
    """D is sure of nineteen in twenty real images and of as many fakes."""
    rows = record.epochs
    won = (column(rows, "d_real_q05") > WON_REAL_Q05) & (column(rows, "d_fake_q95") < WON_FAKE_Q95)
    seen = Seen(rows, last_spell(won, WON_EPOCHS))
    if record.recipe.loss.name != "minimax":
        return seen
    return replace(
        seen,
        meaning=english(
            "D rejects every fake, and the slope of log(1 - D(G(z))) is proportional to"
            " D(G(z)): the minimax loss gives G no gradient just when it needs one."
        ),
        advice=english("--set loss.name=non-saturating, whose gradient stays when D wins."),
    )


PASSED_GAP = 0.15
GARBAGE_DISTANCE = 0.6
PASSED_EPOCHS = 3


@detector(
    "garbage-passes",
    "critical",
    needs=("d_real_mean", "d_fake_mean", "distance", "moved"),
    evidence=("d_real_mean", "d_fake_mean", "d_loss", "distance", "spread"),
    figure="outputs",
    meaning=english(
        "D cannot tell G's images from real ones although they are nothing like them, so it"
        " teaches G nothing; losses near log 2 are no sign of balance here."
    ),
    advice=english(
        "Let D learn: a higher --set discriminator.optimizer.lr, or Adam for it, as in --set"
        " discriminator.optimizer.name=adam; if D(x) is below D(G(z)), see whether its labels are"
        " swapped."
    ),
    in_words=english(
        "Let D learn: a higher learning rate, or Adam for it; if D(x) is below D(G(z)), see whether"
        " its labels are swapped."
    ),
    source=f"{GAN}, section 4.1, whose equilibrium needs D at its optimum",
)
def garbage_passes(record: Record) -> Seen:
    """D rates fakes about as high as real images, and they are nothing like them."""
    rows = record.joined
    passed = column(rows, "d_real_mean") - column(rows, "d_fake_mean") < PASSED_GAP
    far = column(rows, "distance") > GARBAGE_DISTANCE
    return Seen(rows, last_spell(passed & far & grown_up(rows), PASSED_EPOCHS))
