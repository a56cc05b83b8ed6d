"""Scenarios under steering: how likely scripted replies become, and what the model replies.

Reads `model.json`, the vectors, those of deflection, their controls and the scenarios; writes for each set of scenarios the
log-probability of every scripted reply under every condition (CSV), and sampled replies (JSON lines). Replies are kept
as they come: a run that is killed goes on.
"""

from pathlib import Path

import torch

from emotion_concepts.conduct_experiments import CONDUCT
from emotion_concepts.conduct_runs import conditions, rollouts, scripted_scores, written_conditions
from emotion_concepts.directions import read_controls, steered_directions
from emotion_concepts.drafts import DraftStore
from emotion_concepts.entry import run_script
from emotion_concepts.files import read_json, sha256_of, write_json_lines
from emotion_concepts.layers import steered_layers
from emotion_concepts.models import open_described
from emotion_concepts.ratings import write_table
from emotion_concepts.spans import goes_through_template
from emotion_concepts.text_sets import every_nth, read_texts
from emotion_concepts.vectors import load_vectors


def main(
    model: Path, vectors: Path, deflection: list[Path], controls: Path, scenarios: list[Path], scores: list[Path],
    replies: list[Path], *, cfg: dict, threads: int = 2,
) -> None:  # fmt: skip
    """Steer with `cfg`, the `conduct` section with format, layers and precision; all files in its experiments' order."""
    torch.set_num_threads(threads)
    opened = open_described(model, cfg["precision"])
    of_kind = {"stories": vectors} | dict(zip(["deflection"], deflection, strict=False))
    vectors_of = {kind: load_vectors(path) for kind, path in of_kind.items()}
    others = read_controls(controls, len(vectors_of["stories"].layers))
    layers = steered_layers(len(opened.blocks), cfg["layers"], vectors_of["stories"].layers)
    chat = goes_through_template(opened.tokenizer, cfg["format"])
    told = {"chat": chat, "reply_only": cfg["tokens"] == "reply"}
    for name, source, scored, written in zip(cfg["experiments"], scenarios, scores, replies, strict=True):
        experiment = CONDUCT[name]
        known = vectors_of[experiment.vectors]
        concepts = [concept for concept in experiment.concepts if concept in known.concepts]
        directions = steered_directions(known, concepts, layers, others, n_controls=cfg["control_directions"])
        texts = every_nth(read_texts(source), cfg["scenarios"])
        chosen = conditions(directions, cfg["strengths"], remedies=experiment.remedies)
        sides = {side for measure in experiment.measures.values() for side in (measure.toward, measure.away)}
        table = scripted_scores(
            opened, texts, directions, chosen, sorted(sides), limit=cfg["scripted"], **told
        )
        sampling = {key: cfg[key] for key in ("max_new_tokens", "temperature", "top_p", "seed")}
        sampling["max_new_tokens"] *= experiment.length
        about = {
            **sampling, **told, "format": cfg["format"], "vectors": sha256_of(of_kind[experiment.vectors]),
            "revision": read_json(model)["revision"], "layers": cfg["layers"], "scenarios": sha256_of(source),
        }  # fmt: skip
        drafts = DraftStore(written.with_suffix("") / "drafts", about)
        said = rollouts(
            opened, texts, directions, list(written_conditions(chosen)), drafts, count=cfg["rollouts"], **told, **sampling
        )  # fmt: skip
        write_table(scored, table)
        write_json_lines(written, said)


if __name__ == "__main__":
    run_script(main, globals())
