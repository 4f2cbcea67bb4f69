import numpy as np

from counterfeit.files import Row
from counterfeit.insight.columns import epoch_losses


def log_row(step: int, epoch: float, d_loss: float, d_loss_last: float) -> Row:
    g = {"g_loss": 1.0, "g_loss_last": 1.0}
    return {"step": step, "epoch": epoch, "d_loss": d_loss, "d_loss_last": d_loss_last, **g}


def test_an_epochs_mean_weighs_rows_by_their_updates() -> None:
    rows = [
        log_row(100, 100 / 120, d_loss=1.0, d_loss_last=9.0),
        log_row(120, 1.0, d_loss=4.0, d_loss_last=5.0),
        log_row(180, 1.5, d_loss=7.0, d_loss_last=8.0),
    ]
    last, mean = epoch_losses(rows)
    np.testing.assert_allclose(last, [[1, 5, 1], [1.5, 8, 1]])
    np.testing.assert_allclose(mean, [[1, (100 * 1 + 20 * 4) / 120, 1], [1.5, 7, 1]])
