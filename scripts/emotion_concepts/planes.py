"""The concepts on a plane that keeps neighbours together (UMAP). Its import takes seconds: it stands alone."""

import numpy as np
import umap

NEIGHBOURS = 15


def neighbour_plane(vectors_CD: np.ndarray, seed: int) -> np.ndarray:
    """UMAP of the vectors by cosine: float32 [C, 2]. Distances between far groups mean nothing."""
    neighbours = min(NEIGHBOURS, len(vectors_CD) - 1)
    reducer = umap.UMAP(n_neighbors=neighbours, metric="cosine", init="pca", random_state=seed, n_jobs=1)
    return reducer.fit_transform(np.asarray(vectors_CD, np.float32))
