"""Reading and changing the residual stream as it passes through a model's blocks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


class _LastWantedLayer(BaseException):
    """Ends a pass: what follows is of no use to anybody."""


@contextmanager
def watched_residuals(blocks: nn.ModuleList, watch, last_layer: int | None = None) -> Iterator[None]:
    """While this is open, `watch(layer, residual_BTD)` is called with each block's output.

    If it returns a tensor, that takes the output's place. With `last_layer` a pass inside ends after
    that block, and so does the `with` block. The hooks are removed at the end, even on an error.
    """

    def hook(layer: int):
        def call(_block, _inputs, output):
            residual = output[0] if isinstance(output, tuple) else output
            changed = watch(layer, residual)
            if layer == last_layer:
                raise _LastWantedLayer
            if changed is None:
                return None
            return (changed, *output[1:]) if isinstance(output, tuple) else changed

        return call

    handles = [block.register_forward_hook(hook(layer)) for layer, block in enumerate(blocks)]
    try:
        yield
    except _LastWantedLayer:
        pass
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watched_input(block: nn.Module, watch: Callable[[torch.Tensor], None]) -> Iterator[None]:
    """While this is open, `watch(residual_BTD)` is called with what goes into a block."""

    def hook(_block, inputs, named):
        watch(inputs[0] if inputs else named["hidden_states"])

    handle = block.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
