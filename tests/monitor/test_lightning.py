"""Lightning's trainer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import BATCH, Z, digits, networks
from torch import Tensor, nn

from counterfeit.errors import CounterfeitError
from counterfeit.monitor import lightning


def test_without_lightning_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lightning.pytorch.callbacks", "pytorch_lightning.callbacks"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(CounterfeitError, match="install lightning"):
        lightning.callback()


def test_a_trainer_is_watched(tmp_path: Path) -> None:
    import lightning.pytorch as L  # takes seconds

    class Game(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.generator, self.discriminator = networks()
            self.automatic_optimization = False

        def configure_optimizers(self) -> list[torch.optim.Optimizer]:
            return [
                torch.optim.Adam(each.parameters(), 1e-3)
                for each in (self.generator, self.discriminator)
            ]

        def training_step(self, batch: list[Tensor], index: int) -> dict[str, Tensor]:
            loss = nn.functional.binary_cross_entropy_with_logits
            optimizer_G, optimizer_D = self.optimizers()
            fake = self.generator(torch.randn(len(batch[0]), Z))
            d_real, d_fake = self.discriminator(batch[0]), self.discriminator(fake.detach())
            d_loss = loss(d_real, torch.ones_like(d_real)) + loss(d_fake, torch.zeros_like(d_fake))
            optimizer_D.zero_grad()
            self.manual_backward(d_loss)
            optimizer_D.step()
            answers = self.discriminator(fake)
            g_loss = loss(answers, torch.ones_like(answers))
            optimizer_G.zero_grad()
            self.manual_backward(g_loss)
            optimizer_G.step()
            self.log("g_loss", g_loss)
            return {"d_loss": d_loss.detach(), "d_real": d_real.detach(), "d_fake": d_fake.detach()}

    given: dict[str, Any] = {"data": "digits", "latents": torch.randn(20, Z), "quiet": True}
    watching = lightning.callback(d_outputs="logits", out=tmp_path / "runs", **given)
    trainer = L.Trainer(
        max_epochs=2,
        accelerator="cpu",
        callbacks=[watching],
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    data = torch.utils.data.TensorDataset(digits()[: 5 * BATCH])
    trainer.fit(Game(), torch.utils.data.DataLoader(data, BATCH))
    run = watching.monitor.run
    assert [(row["step"], row["epoch"]) for row in run.log] == [(5, 1), (10, 2)]
    assert run.log[-1].keys() >= {"d_loss", "g_loss", "d_real_q50", "d_fake_q50", "d_grad_norm"}
    assert run.recipe.training.epochs == 2
