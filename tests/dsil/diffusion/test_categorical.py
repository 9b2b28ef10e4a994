import numpy as np
import pytest
import torch

from xadbench.datasets import InputError
from xadbench.dsil.diffusion.categorical import LOSSES, Categorical


def test_bins_are_equal_shares_of_the_steps():
    bins = Categorical().targets(np.arange(400))
    assert bins.tolist() == [int(np.floor(7 * t / 400)) for t in range(400)]


def test_the_score_is_the_expected_bin():
    p = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])
    score = Categorical(n_bins=3).score(p.log())
    torch.testing.assert_close(score, torch.tensor([0.75, 2.0], dtype=torch.float64))


def test_extreme_rows_do_not_tie():
    logits = torch.zeros(2, 7)
    logits[:, -1] = torch.tensor([30.0, 31.0])
    score = Categorical().score(logits)
    assert score[0] < score[1] < 6


def test_the_published_loss_takes_the_softmax_twice():
    logits, bins = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([2])
    p = np.exp(logits[0].numpy())
    p /= p.sum()
    assert LOSSES["cross_entropy"](logits, bins).item() == pytest.approx(-np.log(p[2]))
    assert LOSSES["published"](logits, bins).item() == pytest.approx(-p[2] + np.log(np.exp(p).sum()))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_bins": 1}, "n_bins is 1, expected an integer of at least 2"),
        ({"n_bins": 9, "n_steps": 8}, "n_bins is 9, expected at most n_steps = 8"),
        ({"loss_name": "mse"}, "unknown loss 'mse'.*; known: cross_entropy, published"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Categorical(**settings)
