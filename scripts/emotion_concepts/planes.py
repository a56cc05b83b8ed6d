"""The concepts on a plane that keeps neighbours together (UMAP). Its import takes seconds: it stands alone."""

import numpy as np
import umap

from emotion_concepts.geometry import principal_components

NEIGHBOURS = 15
# With fewer concepts there are no neighbours to keep together.
FEWEST_CONCEPTS = 3


def neighbour_plane(vectors_CD: np.ndarray, seed: int) -> np.ndarray:
    """UMAP of the vectors by cosine: float [C, 2]. Distances between far groups mean nothing.

    Two concepts alone lie on their principal components.
    """
    if len(vectors_CD) < FEWEST_CONCEPTS:
        return principal_components(vectors_CD, 2)[0]
    neighbours = min(NEIGHBOURS, len(vectors_CD) - 1)
    reducer = umap.UMAP(n_neighbors=neighbours, metric="cosine", init="pca", random_state=seed, n_jobs=1)
    return reducer.fit_transform(np.asarray(vectors_CD, np.float32))
