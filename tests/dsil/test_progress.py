from io import StringIO

from rich.console import Console

from xadbench.dsil.progress import EpochProgress


def shown(n_epochs, **settings):
    console = Console(file=StringIO(), width=80, **settings)
    with EpochProgress(n_epochs, verbose=True, console=console) as progress:
        for epoch in range(1, n_epochs + 1):
            progress.advance(epoch, 1 / epoch)
    return console.file.getvalue()


def test_a_long_training_is_ten_plain_lines_elsewhere():
    lines = shown(400).splitlines()
    assert len(lines) == 10
    assert lines[0] == "epoch 40/400: loss 0.025"
    assert lines[-1] == "epoch 400/400: loss 0.0025"


def test_a_bar_with_epoch_and_loss_is_shown_on_a_terminal():
    text = shown(4, force_terminal=True)
    assert "loss 0.25" in text
    assert "4/4" in text
    assert "epoch" not in text
