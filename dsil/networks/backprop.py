"""Training steps of the MLP, forward and backward written out, to cost little more than their products."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.optim.adam import adam

from .mlp import MLP
from .objective import Objective

DROPS = (False, True, True)  # after which hidden activation dropout of a half follows


class Backprop:
    """Takes steps with Adam on the weights of a network; `store` puts them into it.

    Autograd follows the loss alone. It would make a new tensor of every product, gradient and mask, and give
    Adam eight of them to loop over in Python; here they have their places, in one vector for Adam.

    Parameters
    ----------
    network
        Left as it is until `store`.
    batch_size
        Most rows of a batch.
    learning_rate, weight_decay
        Settings of Adam.
    """

    def __init__(self, network: MLP, batch_size: int, learning_rate: float, weight_decay: float) -> None:
        self.network = network
        parameters = list(network.parameters())
        flat = torch.cat([own.detach().flatten() for own in parameters])
        gradient, mean, variance = (torch.zeros_like(flat) for _ in range(3))
        # The function behind `torch.optim.Adam`, whose own step adds a fifth to it.
        self.adam = partial(
            adam,
            [flat],
            [gradient],
            exp_avgs=[mean],
            exp_avg_sqs=[variance],
            max_exp_avg_sqs=[],
            state_steps=[flat.new_zeros(())],
            lr=learning_rate,
            weight_decay=weight_decay,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
            fused=True,
        )
        self.values, gradients = _views(flat, parameters), _views(gradient, parameters)
        self.weights, self.biases = self.values[::2], self.values[1::2]
        self.weight_gradients, self.bias_gradients = gradients[::2], gradients[1::2]
        # What each layer gives out, and the gradient by it.
        self.outputs = [flat.new_empty(batch_size, len(bias)) for bias in self.biases]
        self.gradients = [torch.empty_like(own) for own in self.outputs]

    @torch.no_grad()
    def step(
        self, x: Tensor, targets: Tensor, weights: Tensor, objective: Objective, rng: np.random.Generator
    ) -> Tensor:
        """Take a step down the mean of the weighted losses; return these, (n,).

        Parameters
        ----------
        x : (n, n_inputs) float32
        targets, weights : (n,)
            As `objective` makes them; what each row's loss is multiplied by.
        objective
            Gives the losses.
        rng
            Draws the dropout.
        """
        inputs, outputs = self._forward(x, rng)
        with torch.enable_grad():
            losses = objective.losses(outputs.requires_grad_(), targets)
            (gradient,) = torch.autograd.grad(losses, outputs, weights * (1 / len(x)))
        self._backward(inputs, gradient)
        self.adam()
        return losses.detach() * weights

    @torch.no_grad()
    def store(self) -> None:
        """Put the weights into the network."""
        for own, values in zip(self.network.parameters(), self.values, strict=True):
            own.copy_(values)

    def _forward(self, x: Tensor, rng: np.random.Generator) -> tuple[list[Tensor], Tensor]:
        """Return what goes into each layer, with dropout, and what comes out of the last."""
        widths = [own.shape[1] for own, drops in zip(self.outputs, DROPS, strict=False) if drops]
        masks = iter(coins(len(x), widths, rng))
        inputs = [x]
        *hidden, last = (own[: len(x)] for own in self.outputs)
        for own, weight, bias, drops in zip(hidden, self.weights, self.biases, DROPS, strict=False):
            torch.addmm(bias, inputs[-1], weight.T, out=own).relu_()
            if drops:
                own.mul_(next(masks).to(own.device))
            inputs.append(own)
        return inputs, torch.addmm(self.biases[-1], inputs[-1], self.weights[-1].T, out=last)

    def _backward(self, inputs: Sequence[Tensor], gradient: Tensor) -> None:
        """Fill the gradients of all weights, given that of the last layer's outputs."""
        for depth in reversed(range(len(inputs))):
            torch.mm(gradient.T, inputs[depth], out=self.weight_gradients[depth])
            torch.sum(gradient, 0, out=self.bias_gradients[depth])
            if depth:  # nobody asks for the gradient of the rows themselves
                own = self.gradients[depth - 1][: len(gradient)]
                scale = 2 if DROPS[depth - 1] else 1
                torch.addmm(own, gradient, self.weights[depth], beta=0, alpha=scale, out=own)
                # What is 0 after ReLU and dropout was stopped by one of them.
                gradient = torch.ops.aten.threshold_backward.grad_input(own, inputs[depth], 0, grad_input=own)


def _views(flat: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """Return the parts of a vector that stand for the parameters, in their shapes."""
    parts = torch.split(flat, [own.numel() for own in parameters])
    return [part.view(own.shape) for part, own in zip(parts, parameters, strict=True)]


def coins(n_rows: int, widths: Sequence[int], rng: np.random.Generator) -> list[Tensor]:
    """Return fair draws from {0, 2} for each width, a multiple of eight: uint8 tensors (n_rows, width)."""
    # One random bit a value: eight times as fast as torch's dropout, which made up a third of a step.
    bits = np.unpackbits(np.frombuffer(rng.bytes(n_rows * sum(widths) // 8), np.uint8))
    bits <<= 1
    parts = torch.split(torch.from_numpy(bits), [n_rows * width for width in widths])
    return [part.view(n_rows, -1) for part in parts]
