"""The concepts on a plane that keeps neighbours together (UMAP)."""

import numpy as np

from emotion_concepts.geometry import principal_components

# UMAP's own default, and with no more concepts than this each would be every other's neighbour.
NEIGHBOURS = 15


def neighbour_plane(vectors_CD: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """UMAP of the vectors by cosine, and what its axes are called: float [C, 2], str.

    Distances between far groups mean nothing. As few concepts as `NEIGHBOURS` lie on their principal
    components.
    """
    if len(vectors_CD) <= NEIGHBOURS:
        return principal_components(vectors_CD, 2)[0], "PC"
    import umap  # takes seconds, which a few concepts need not wait for

    reducer = umap.UMAP(n_neighbors=NEIGHBOURS, metric="cosine", init="pca", random_state=seed, n_jobs=1)
    return reducer.fit_transform(np.asarray(vectors_CD, np.float32)), "UMAP"
