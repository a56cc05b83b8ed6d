"""Which layers are used where the settings leave it open, and work that is done at each of them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from threadpoolctl import threadpool_limits

from emotion_concepts.errors import ConfigError

T = TypeVar("T")


def single_layer(n_layers: int, chosen: int | None) -> int:
    """Layer of the single-layer figures: the chosen one, or two thirds of depth (paper, section 1).

    Raises
    ------
    ConfigError
        The model lacks it.
    """
    return _known(n_layers, [round(2 / 3 * (n_layers - 1)) if chosen is None else chosen])[0]


def described_layer(layers: Sequence[int], chosen: int | None, recommended: int | None) -> int:
    """Layer of the single-layer analyses: the chosen one, the recommended one, or the one at two thirds of these.

    Raises
    ------
    ConfigError
        There are no vectors at the chosen layer.
    """
    if chosen is not None and chosen not in layers:
        raise ConfigError(f"layer {chosen}, but there are vectors of layers {layers[0]} to {layers[-1]}")
    if chosen is not None:
        return chosen
    return layers[single_layer(len(layers), None)] if recommended is None else recommended


def steered_layers(
    n_layers: int, chosen: Sequence[int] | None, known: Sequence[int] | None = None
) -> list[int]:
    """Blocks that are steered: the chosen ones, or the third of depth centred on two thirds.

    Where there are vectors of some layers (`known`) only, those of them in that third, or else all of them.

    Raises
    ------
    ConfigError
        The model, or the vectors, lack a chosen one.
    """
    known = range(n_layers) if known is None else known
    if chosen:
        missing = sorted(set(_known(n_layers, list(chosen))) - set(known))
        if missing:
            raise ConfigError(
                f"layer {missing[0]}, but there are vectors of layers {', '.join(map(str, known))}"
            )
        return list(chosen)
    third = list(range(n_layers // 2, n_layers // 2 + max(1, n_layers // 3)))
    return [layer for layer in third if layer in known] or list(known)


def bands_of(n_layers: int, count: int, known: Sequence[int]) -> dict[str, list[int]]:
    """Equal bands of the model's depth by name, "0-9" for one: those of their layers that have vectors, if any."""
    bounds = [n_layers * i // max(count, 1) for i in range(count + 1)]
    bands = {f"{a}-{b - 1}": [k for k in range(a, b) if k in known] for a, b in pairwise(bounds)}
    return {name: layers for name, layers in bands.items() if layers}


def work_by_layer(work: Callable[[int], T], n_layers: int, threads: int) -> Iterator[T]:
    """What `work` gives for each layer, in their order, so many looked at side by side.

    Every matrix product is made on one thread: two layers then take the time of one, which two threads on
    one small product do not manage.
    """
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, range(n_layers))


def _known(n_layers: int, layers: list[int]) -> list[int]:
    for layer in layers:
        if not 0 <= layer < n_layers:
            raise ConfigError(f"layer {layer}, but the model has layers 0 to {n_layers - 1}")
    return layers
