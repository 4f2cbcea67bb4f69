"""What D sees: augmentations, noise, an adaptive probability, and old fakes among new ones."""

import pytest
import torch
from torch import Tensor

from counterfeit import recipe
from counterfeit.game import augment
from counterfeit.game.replay import BATCHES, Replay
from counterfeit.game.step import Rules
from counterfeit.game.views import ADAPTED_IMAGES, View

CPU = torch.device("cpu")


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def view(**settings: object) -> View:
    return View(recipe.Inputs(**settings), (0.0, 1.0), seed=5, device=CPU)


@pytest.mark.parametrize("name", augment.AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(5, 1, 8, 8), (3, 3, 9, 14), (2, 3, 4, 4), (4, 1, 1, 3)])
def test_any_images_are_augmented_with_a_gradient_to_them(name: str, shape) -> None:
    x = images(*shape).requires_grad_()

    def changed(x: Tensor) -> Tensor:
        return augment.AUGMENTATIONS[name](x, rng())

    assert changed(x).shape == x.shape
    torch.autograd.gradcheck(changed, x)
    alone = torch.cat([changed(x)[:1], x[1:]])
    assert torch.equal(alone[1:], x[1:])


def test_translation_moves_each_image_and_fills_with_0() -> None:
    x = images(200, 1, 16, 16) + 1
    moved = augment.translation(x, rng())
    shifts = set()
    for before, after in zip(x, moved, strict=True):
        rows, columns = after[0].nonzero()[0].tolist(), after[0].nonzero()[-1].tolist()
        height, width = columns[0] - rows[0] + 1, columns[1] - rows[1] + 1
        dy = rows[0] or height - 16
        dx = rows[1] or width - 16
        shifts.add((dy, dx))
        padded = torch.nn.functional.pad(before[0], (2, 2, 2, 2))
        assert torch.equal(after[0], padded[2 - dy : 18 - dy, 2 - dx : 18 - dx])
    assert {each for pair in shifts for each in pair} == {-2, -1, 0, 1, 2}


def test_cutout_takes_a_square_of_half_the_sides() -> None:
    x = torch.ones(300, 3, 8, 8)
    cut = 1 - augment.cutout(x, rng())
    assert torch.equal(cut[:, 0], cut[:, 2])
    sides = [(image.any(0).sum().item(), image.any(1).sum().item()) for image in cut[:, 0]]
    assert max(sides) == (4, 4)
    assert min(min(pair) for pair in sides) == 2  # where the square's middle is at the edge
    assert cut.sum((0, 1)).min() > 0


def test_color_keeps_what_it_does_not_change() -> None:
    x = images(50, 3, 4, 4)
    changed = augment.color(x, rng(), width=1.0)
    moved = (changed - x).mean((1, 2, 3))
    assert moved.abs().max() <= 0.25
    assert moved.std() > 0.1
    grey = x.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    of_grey = augment.color(grey, rng(), width=1.0)
    assert torch.allclose(of_grey, of_grey[:, :1].expand_as(of_grey))


def test_noise_falls_to_none_over_its_epochs() -> None:
    noisy = view(noise=0.5, noise_epochs=4.0)
    x = images(100, 1, 8, 8)
    for epoch, std in ((0, 0.5), (1, 0.375), (3.5, 0.0625), (4, 0.0), (9, 0.0)):
        noisy.begin(3, epoch)
        assert (noisy(x) - x).std().item() == pytest.approx(std, rel=0.05)
    stays = view(noise=0.5)
    stays.begin(3, 1000)
    assert (stays(x) - x).std().item() == pytest.approx(0.5, rel=0.05)


def test_draws_are_a_function_of_seed_and_step_and_differ_within_one() -> None:
    x = images(4, 1, 8, 8)
    one, other = view(noise=0.1, augment=("color",)), view(noise=0.1, augment=("color",))
    one.begin(2, 0)
    one(x), one(x)
    for each in (one, other):
        each.begin(3, 0)
    first = one(x)
    assert torch.equal(first, other(x))
    assert not torch.equal(first, one(x))


def test_the_probability_follows_how_sure_d_is() -> None:
    seen = view(augment=("translation",), adaptive=0.6)
    x = images(64, 1, 8, 8)
    seen.begin(0, 0)
    assert torch.equal(seen(x), x)
    step = 64 / ADAPTED_IMAGES
    seen.adapt(torch.ones(64))
    assert seen.probability.item() == pytest.approx(step)
    seen.adapt(torch.cat([torch.ones(52), -torch.ones(12)]))  # the mean sign is 0.625
    assert seen.probability.item() == pytest.approx(2 * step)
    for _ in range(3):
        seen.adapt(torch.cat([torch.ones(51), -torch.ones(13)]))  # 0.594
    assert seen.probability.item() == 0
    seen.probability.fill_(0.5)
    changed = (seen(images(1000, 1, 8, 8)) != images(1000, 1, 8, 8)).any((1, 2, 3)).float().mean()
    assert 0.4 < changed.item() < 0.5  # some move by nothing


def test_without_a_target_all_is_augmented_and_nothing_is_kept() -> None:
    always = view(augment=("cutout",))
    always.begin(0, 0)
    always.adapt(torch.ones(4))
    assert (always(torch.ones(50, 1, 8, 8)) == 0).any((1, 2, 3)).all()
    assert always.tensors() == {}


def test_rules_without_any_show_the_images_themselves() -> None:
    rules, x = Rules(loss=None), images(2, 1, 4, 4)
    assert rules.see(x) is x
    assert rules.recall(x) is x


def replay(share: float = 0.5) -> Replay:
    return Replay(share, 6, (1, 1, 1), seed=5, device=CPU)


def numbered(step: int) -> Tensor:
    return torch.arange(6 * step, 6 * step + 6).view(6, 1, 1, 1).float()


def test_old_fakes_come_back_once_and_are_replaced() -> None:
    old = replay()
    for step in range(BATCHES):
        old.begin(step, 0)
        assert torch.equal(old(numbered(step)), numbered(step))
    seen: list[float] = []
    for step in range(BATCHES, 30):
        old.begin(step, 0)
        shown = old(numbered(step)).flatten()
        assert torch.equal(shown[3:], numbered(step).flatten()[3:])
        assert (shown[:3] < 6 * step).all()
        seen += shown[:3].tolist()
        assert set(numbered(step).flatten()[:3].tolist()) <= set(old.images.flatten().tolist())
    assert len(seen) == len(set(seen))


def test_old_fakes_survive_a_checkpoint_and_refuse_another_shape() -> None:
    first, second = replay(), replay()
    for step in range(6):
        first.begin(step, 0)
        first(numbered(step))
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()})
    for each in (first, second):
        each.begin(6, 0)
    assert torch.equal(first(numbered(6)), second(numbered(6)))
    for damage in ({"images": torch.zeros(3, 1, 1, 1)}, {"kept": torch.tensor(99)}):
        with pytest.raises(ValueError, match="another shape"):
            second.load(first.tensors() | damage)
