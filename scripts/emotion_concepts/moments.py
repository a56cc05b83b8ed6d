"""Running first and second moments of token activations: what a PCA needs, without keeping tokens.

Shape letters: L layers, T tokens, D width. Takes 8 L D^2 bytes: 80 MB at 30 layers of width 576.
"""

from pathlib import Path

import h5py
import numpy as np

from emotion_concepts.files import written_whole


class TokenMoments:
    """Count, sums and sums of products of token activations, float64, layer by layer.

    Parameters
    ----------
    n_layers, width : int
        Of the residual streams that are added.
    """

    def __init__(self, n_layers: int, width: int):
        self.n_tokens = 0
        self._sum_LD = np.zeros((n_layers, width))
        self._product_LDD = np.zeros((n_layers, width, width))

    def add(self, n_tokens: int, sum_LD: np.ndarray, product_LDD: np.ndarray) -> None:
        """Take in the sums over a batch's tokens."""
        self.n_tokens += n_tokens
        self._sum_LD += sum_LD
        self._product_LDD += product_LDD

    def merge(self, other: "TokenMoments") -> None:
        """Take in another's tokens, as of another shard."""
        self.add(other.n_tokens, other._sum_LD, other._product_LDD)

    def mean(self, layer: int) -> np.ndarray:
        """Mean over all tokens: float64 [D]."""
        return self._sum_LD[layer] / self.n_tokens

    def covariance(self, layer: int) -> np.ndarray:
        """Covariance over all tokens (divided by their number): float64 [D, D]."""
        mean_D = self.mean(layer)
        return self._product_LDD[layer] / self.n_tokens - np.outer(mean_D, mean_D)

    def save(self, path: Path) -> None:
        """Write the file whole."""
        with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
            file["n_tokens"], file["sum"], file["product"] = self.n_tokens, self._sum_LD, self._product_LDD

    @classmethod
    def load(cls, path: Path) -> "TokenMoments":
        """Read what `save` wrote."""
        with h5py.File(path, "r") as file:
            moments = cls(*file["sum"].shape)
            moments.add(int(file["n_tokens"][()]), file["sum"][:], file["product"][:])
        return moments
