"""After a change, exactly the right stages run again: (change, what must rerun), on a tiny real model."""

import json
import shutil

import pytest
import yaml

from tests.conftest import ROOT, make_model_folder
from tests.workflow.conftest import planned_rules, snakemake

REPORTED = {"score_claims", "write_report"}
FROM_SWEEP = {"sweep_corpus", "draw_sweep", *REPORTED}
FROM_LABELS = {"score_labelled", "draw_labelled", *REPORTED}
FROM_READING = {"analyse_numbers", "analyse_turns", "draw_reading", *REPORTED}
FROM_PLACES = {"record_places", *FROM_READING}
FROM_CHOICES = {"analyse_preferences", "draw_preferences", *REPORTED}
FROM_VERDICTS = {"judge_replies", "analyse_conduct", "draw_conduct", *REPORTED}
FROM_SCENARIOS = {"steer_conduct", *FROM_VERDICTS}
FROM_STEERING = {"steer_words", "draw_steering", *REPORTED}
FROM_GEOMETRY = {
    "describe_geometry",
    "map_concepts",
    "draw_geometry",
    "read_lens",
    "draw_lens",
    "color_texts",
    *FROM_SWEEP,
    *FROM_LABELS,
    *FROM_READING,
    *FROM_CHOICES,
}
FROM_RETRIEVAL = {"validate_retrieval", "draw_retrieval", "export_vectors", *FROM_GEOMETRY}
FROM_VECTORS = {"compute_vectors", *FROM_RETRIEVAL, *FROM_STEERING, "steer_activities", *FROM_SCENARIOS}
FROM_VECTORS -= {"validate_retrieval"}
FROM_RECORDING = {"record_texts", "sum_stories", *FROM_VECTORS, *FROM_RETRIEVAL}
FROM_CHECKS = {"check_stories", "fetch_ratings", *FROM_RECORDING}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A copy of the project and a finished run of it, with a tiny model and a user's own stories."""
    base = tmp_path_factory.mktemp("reruns")
    root, folder = base / "project", base / "run"
    root.mkdir()
    folder.mkdir()
    for name in ("Snakefile", "config.yaml", "rules", "scripts", "resources", "envs", "profiles"):
        source = ROOT / name
        shutil.copytree(source, root / name) if source.is_dir() else shutil.copy(source, root / name)
    stories = [json.loads(line) for line in (ROOT / "resources/stories/tone.jsonl").open(encoding="utf-8")]
    chosen = [
        s
        for s in stories
        if s["emotion"] in ("afraid", "calm", "sad") and s["topic"] in ("flat", "phone", "drive")
    ]
    (folder / "stories.jsonl").write_text("\n".join(map(json.dumps, chosen)))
    (folder / "others").mkdir()
    for name in ("phone", "drive"):
        (folder / f"others/{name}.txt").write_text(
            "\n".join(s["text"] for s in stories if s["topic"] == name)
        )
    labelled = [f"{s['emotion']}\t{s['text']}" for s in stories if s["emotion"] in ("afraid", "calm", "sad")]
    (folder / "labelled.tsv").write_text("labels\ttext\n" + "\n".join(labelled * 2))
    (folder / "map.csv").write_text("label,concept\nafraid,afraid\ncalm,calm\n")
    (folder / "ratings.csv").write_text("emotion,valence,arousal\nafraid,2,6\ncalm,7,2\nsad,2,3\n")
    overlay = {
        "models": {"tiny": {"source": str(make_model_folder(base / "tiny"))}},
        "story_sets": {"mine": {"source": "file", "path": "stories.jsonl"}},
        "neutral": {"limit": 6},
        "ratings": {"path": "ratings.csv"},
        "validation": {"permutations": 19, "retrieval_shuffles": 19, "bootstraps": 100},
        "steering": {"concepts": ["calm", "sad"], "max_new_tokens": 4},
        "preferences": {"activities": 16},
        "conduct": {"experiments": ["blackmail"], "scenarios": 5, "max_new_tokens": 8},
        "corpora": {"others": {"source": "folder", "path": "others"}},
        "labelled_sets": {"people": {"path": "labelled.tsv", "concepts": "map.csv"}},
        "reading": {"experiments": ["numbers", "turns"], "plain_texts": 96, "reply_tokens": 4},
        "sweep": {"max_tokens": 2000, "random_directions": 5},
        "run": {
            "models": ["tiny"],
            "story_sets": ["mine"],
            "corpora": ["others"],
            "labelled_sets": ["people"],
        },
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(overlay))
    snakemake(folder, "--configfile", str(folder / "mine.yaml"), root=root)
    return root, folder


def set_key(section, key, value):
    def change(_root, folder):
        path = folder / "mine.yaml"
        overlay = yaml.safe_load(path.read_text())
        overlay.setdefault(section, {})[key] = value
        path.write_text(yaml.safe_dump(overlay))

    return change


def replace(name, old, new):
    def change(root, folder):
        path = (root if (root / name).exists() else folder) / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def touch(name):
    return lambda root, folder: (root / name).touch()


def delete(name):
    return lambda root, folder: (folder / name).unlink()


PACKAGE = "scripts/emotion_concepts"
CHANGES = {
    "nothing": (lambda root, folder: None, set()),
    "a comment in a module": (replace(f"{PACKAGE}/recording.py", "import torch", "# why\nimport torch"), set()),
    "a docstring in a module": (replace(f"{PACKAGE}/shards.py", "One layer of a text set.", "A layer."), set()),
    "a touch": (touch(f"{PACKAGE}/recording.py"), set()),
    "a description in the settings": (replace(f"{PACKAGE}/config_steering.py", "Length of the continuations, in tokens.", "A length."), set()),
    "batch size": (replace("rules/recording.smk", "batch_tokens=0", "batch_tokens=900"), set()),
    "the skip": (set_key("recording", "skip", 40), FROM_RECORDING),
    "the share of denoising": (set_key("vectors", "denoise_variance", 0.6), FROM_VECTORS),
    "the layer of the figures": (set_key("validation", "layer", 1), FROM_GEOMETRY),
    "the splits of retrieval": (set_key("validation", "max_splits", 4), FROM_RETRIEVAL),
    "the tokens of a sweep": (set_key("sweep", "max_tokens", 1500), FROM_SWEEP),
    "the formats": (set_key("reading", "formats", ["plain"]), {"write_replies", *FROM_PLACES}),
    "a text of an experiment": (replace("resources/text_sets/turns.jsonl", "the", "a"), {"lay_out_texts", "write_replies", *FROM_PLACES}),
    "code of an experiment": (replace(f"{PACKAGE}/messages.py", "np.quantile(random_K, 0.95)", "np.quantile(random_K, 0.9)"), {"analyse_numbers", "draw_reading", *REPORTED}),
    "a document": (replace("others/phone.txt", "the", "a"), {"fetch_corpus", *FROM_SWEEP}),
    "the map of labels": (replace("map.csv", "calm,calm", "calm,sad"), FROM_LABELS),
    "the strength": (set_key("steering", "strength", 0.2), FROM_STEERING | {"export_vectors"}),
    "the strengths of conduct": (set_key("conduct", "strengths", [0.1]), FROM_SCENARIOS),
    "a scenario": (replace("resources/text_sets/blackmail.jsonl", "the", "a"), FROM_SCENARIOS),
    "a rubric": (replace(f"{PACKAGE}/rubrics.py", "re.DOTALL)", "re.DOTALL | re.IGNORECASE)"), FROM_VERDICTS),
    "an activity": (replace("resources/text_sets/activities.jsonl", "the", "a"), {"compare_activities", "steer_activities", *FROM_CHOICES}),
    "the strength on activities": (set_key("preferences", "strength", 0.1), {"steer_activities", *FROM_CHOICES}),
    "one story": (replace("stories.jsonl", "the", "a"), {"import_stories", *FROM_CHECKS}),
    "code two imports down": (replace(f"{PACKAGE}/geometry.py", "optimal_ordering=True", "optimal_ordering=False"), FROM_GEOMETRY),
    "code of recording": (replace(f"{PACKAGE}/tokens.py", "np.cumsum(text.own) > skip", "np.cumsum(text.own) >= skip + 1"), FROM_RECORDING | FROM_PLACES | {"write_replies", "compare_activities"}),
    "code of the sums": (replace(f"{PACKAGE}/cells.py", "sums[cell] += row", "sums[cell] += 1.0 * row"), FROM_RECORDING - {"record_texts"}),
    "what is dropped": (set_key("checks", "min_words", 61), FROM_CHECKS),
    "the words of a concept": (replace("resources/leakage/concept_words.csv", "afraid; fear", "afraid; fears"), FROM_CHECKS | FROM_SWEEP),
    "a prompt that is not used": (replace("resources/prompts/story.jinja", "Write only", "Write just"), set()),
    "a deleted figure": (
        delete("results/tiny/figures/mine/cosines.svg"),
        {"draw_geometry", "write_report"},
    ),
    "the report's template": (replace("resources/report/report.html.jinja", "Scorecard</h2>", "Score</h2>"), {"write_report"}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_reruns(finished, tmp_path, change):
    root, folder = tmp_path / "project", tmp_path / "run"
    # copytree keeps times, which is what Snakemake goes by; .snakemake holds what it remembers.
    shutil.copytree(finished[0], root)
    shutil.copytree(finished[1], folder)
    edit, expected = CHANGES[change]
    edit(root, folder)
    assert set(planned_rules(folder, "--configfile", str(folder / "mine.yaml"), root=root)) == expected


def test_a_recording_that_comes_out_the_same_stops_the_wave(finished, tmp_path):
    """Recorded anew in a run of its own: the manifest's digest is the same, so nothing follows from it."""
    root, folder = tmp_path / "project", tmp_path / "run"
    shutil.copytree(finished[0], root)
    shutil.copytree(finished[1], folder)
    settings = ("--configfile", str(folder / "mine.yaml"))
    manifest = folder / "results/tiny/activations/mine/manifest.json"
    before, written = manifest.read_bytes(), manifest.stat().st_mtime_ns
    snakemake(folder, str(manifest.relative_to(folder)), "--forcerun", "record_texts", *settings, root=root)
    assert manifest.read_bytes() == before and manifest.stat().st_mtime_ns > written
    assert planned_rules(folder, *settings, root=root) == {}
