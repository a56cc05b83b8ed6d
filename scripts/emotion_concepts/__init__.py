"""Emotion-concept vectors in the residual stream of any open-weight causal language model.

The names below are imported on first use, so that importing the package (as the Snakefile does
for the config) costs neither torch nor h5py.
"""

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "load_model": "models",
    "record": "recording",
    "load_vectors": "vectors",
    "EmotionVectors": "vectors",
    "project": "projection",
    "generate": "generation",
    "Steering": "steering",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'emotion_concepts' has no attribute {name!r}")
    return getattr(import_module(f"emotion_concepts.{_PUBLIC[name]}"), name)
