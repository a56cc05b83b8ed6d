"""Every mistake in the settings becomes one line that says where, what, and what would be right."""

import json

import pytest
import yaml

from emotion_concepts.config import Config
from emotion_concepts.config_check import checked_config, used_models
from emotion_concepts.errors import ConfigError
from tests.conftest import ROOT

RESOURCES = ROOT / "resources"


def check(tmp_path, text=""):
    """The default settings with an overlay, as Snakemake merges them."""
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(text, encoding="utf-8")
    settings = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    merge(settings, yaml.safe_load(text) or {})
    return checked_config(settings, [overlay], resources=RESOURCES, results=tmp_path / "results")


def merge(below, above):
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            merge(below[key], value)
        else:
            below[key] = value


def message(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        check(tmp_path, text)
    return str(caught.value).replace(str(tmp_path) + "/", "")


MISTAKES = {
    "recording: {skp: 3}": "mine.yaml:1: recording.skp: unknown key; did you mean recording.skip?",
    "\nrecordings: {skip: 3}": "mine.yaml:2: recordings: unknown key; did you mean recording?",
    "zzz: 1": "mine.yaml:1: zzz: unknown key; known keys: models, story_sets, text_sets, vector_sets, "
    "model_pairs, corpora, labelled_sets, emotions, checks, neutral, recording, vectors, ratings, validation, steering, "
    "preferences, conduct, reading, sweep, run",
    "run: {corpora: [play]}": "mine.yaml:1: run.corpora.0: 'play' is not defined; did you mean 'plays'?",
    "run: {labelled_sets: [people]}": "mine.yaml:1: run.labelled_sets.0: 'people' is not defined; none is",
    "corpora: {c: {source: web, path: x}}": "mine.yaml:1: corpora.c.source: 'web' is not one of 'pypi', 'folder', "
    "'file', 'hub'",
    "corpora: {c: {source: folder, pth: x, path: y}}": "mine.yaml:1: corpora.c.pth: unknown key; did you mean "
    "corpora.c.path?",
    "corpora: {c: {source: folder, path: nowhere}}\nrun: {corpora: [c]}": "mine.yaml:1: corpora.c.path: no file with "
    "**/*.txt in nowhere",
    "corpora: {c: {source: file, path: no.txt}}\nrun: {corpora: [c]}": "mine.yaml:1: corpora.c.path: no such file: "
    "no.txt",
    "labelled_sets: {l: {path: no.csv, concepts: resources/labels/goemotions.csv}}\nrun: {labelled_sets: [l]}": "mine.yaml"
    ":1: labelled_sets.l.path: no such file: no.csv",
    "labelled_sets: {l: {path: no.csv, concept: x}}": "mine.yaml:1: labelled_sets.l.concepts: field required\n"
    "mine.yaml:1: labelled_sets.l.concept: unknown key; did you mean labelled_sets.l.concepts?",
    "sweep: {max_tokens: 10}": "mine.yaml:1: sweep.max_tokens: input should be greater than or equal to 1000, got 10",
    "recording: {skip: many}": "mine.yaml:1: recording.skip: input should be a valid integer, unable to parse string "
    "as an integer, got 'many'",
    "recording:\n  skip: -1": "mine.yaml:2: recording.skip: input should be greater than or equal to 0, got -1",
    "recording: {precision: float16}": "mine.yaml:1: recording.precision: 'float16' is not one of 'auto', 'float32' "
    "or 'bfloat16'",
    "run: {models: [smolm2]}": "mine.yaml:1: run.models.0: 'smolm2' is not defined; did you mean 'smollm2'?",
    "run: {story_sets: [own, bundeld]}": "mine.yaml:1: run.story_sets.1: 'bundeld' is not defined; did you mean "
    "'bundled'?",
    "checks: {drop: [too shrt]}": "mine.yaml:1: checks.drop.0: 'too shrt' is not one of 'names the concept', 'uses a "
    "synonym', 'names another concept', 'too short', 'too long', 'another language', 'refusal or remark', 'heading', "
    "'cut off', 'exact duplicate', 'near duplicate', 'speaks of feelings' or 'other person'",
    "story_sets: {s: {source: endpoint, url: 'localhost:8000', model: m}}": "mine.yaml:1: story_sets.s.url: string should "
    "match pattern '^https?://', got 'localhost:8000'",
    "story_sets: {s: {source: endpoint, ulr: x, url: 'http://x', model: m}}": "mine.yaml:1: story_sets.s.ulr: unknown key; "
    "did you mean story_sets.s.url?",
    "story_sets: {s: {source: hub, dataset: a/b, columns: {txt: story}}}": "mine.yaml:1: story_sets.s.columns.txt: unknown "
    "key; did you mean story_sets.s.columns.text?",
    "story_sets: {own: {topics: 999}}": "mine.yaml:1: story_sets.own.topics: 999, but resources/topics.txt has 100",
    "text_sets: {d: {source: generate, model: smollm2, kind: speakers}}": "mine.yaml:1: text_sets.d: emotions is needed for "
    "kind: speakers",
    "text_sets: {d: {source: generate, model: smollm2, kind: neutral, emotions: [sad, calm]}}": "mine.yaml:1: text_sets.d: "
    "emotions has no effect on kind: neutral",
    "text_sets: {own: {source: generate, model: smollm2, kind: neutral}}": "config: text_sets: the name 'own' is taken by a "
    "story set",
    "text_sets: {d: {source: generate, model: big, kind: neutral}}": "mine.yaml:1: text_sets.d.model: 'big' is not defined; "
    "known: smollm2",
    "neutral: {text_set: d}": "mine.yaml:1: neutral.text_set: 'd' is not defined; none is",
    "story_sets: {numbers: {source: bundled}}": "config: story_sets: the name 'numbers' is taken by an experiment's text set",
    "model_pairs: {p: {base: smollm2, post: big}}": "mine.yaml:1: model_pairs.p.post: 'big' is not defined; known: smollm2",
    "reading: {experiments: [number]}": "mine.yaml:1: reading.experiments.0: 'number' is not one of 'implicit', "
    "'numbers', 'turns', 'context', 'negation', 'binding', 'locality', 'states', 'speakers' or 'unexpressed'",
    "reading: {paths: {numbers: none.jsonl}}": "mine.yaml:1: reading.paths.numbers: no such file: none.jsonl",
    "story_sets: {own: {model: big}}": "mine.yaml:1: story_sets.own.model: 'big' is not defined; known: smollm2",
    "story_sets: {own: {topic: 3}}": "mine.yaml:1: story_sets.own.topic: unknown key; did you mean "
    "story_sets.own.topics?",
    "story_sets: {mine: {source: fle, path: x}}": "mine.yaml:1: story_sets.mine.source: 'fle' is not one of 'bundled', "
    "'file', 'hub', 'generate', 'endpoint'",
    "story_sets: {mine: {path: x}}": "mine.yaml:1: story_sets.mine.source: missing; give one of 'bundled', 'file', "
    "'hub', 'generate', 'endpoint'",
    "story_sets: {mine: {source: file, path: none.jsonl}}\nrun: {story_sets: [mine]}": "mine.yaml:1: "
    "story_sets.mine.path: no such file: none.jsonl",
    "emotions: [afraid, hapy]": "mine.yaml:1: emotions.1: unknown concept 'hapy'; did you mean 'happy'?",
    "steering: {concepts: [calm, angri]}": "mine.yaml:1: steering.concepts.1: unknown concept 'angri'; did you mean "
    "'angry'?",
    "steering: {layers: [3, 30]}": "mine.yaml:1: steering.layers: layer 30, but the model has layers 0 to 29 "
    "(model 'smollm2')",
    "validation: {layer: 40}": "mine.yaml:1: validation.layer: layer 40, but the model has layers 0 to 29 "
    "(model 'smollm2')",
    "models: {smollm2: {revision: main}}": "mine.yaml:1: models.smollm2: revision has no effect on a pypi: source; give "
    "the version in the source",
    "models: {a/b: {source: x}}": "mine.yaml:1: models.a/b: string should match pattern "
    "'^[A-Za-z0-9][A-Za-z0-9_.-]*$', got 'a/b'",
    "models: {big: {source: ./none}}\nrun: {models: [big]}": "mine.yaml:1: models.big.source: ./none holds no "
    "config.json; give a model's folder or a Hub id",
    "ratings: {path: none.csv}": "mine.yaml:1: ratings.path: no such file: none.csv",
    "story_sets: {neutral: {source: bundled}}": "config: story_sets: the name 'neutral' is taken by the neutral "
    "dialogues",
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_one_clear_line(tmp_path, text):
    assert message(tmp_path, text) == MISTAKES[text]


def test_every_mistake_is_told_at_once(tmp_path):
    told = message(tmp_path, "recording: {skip: -1}\nsteering: {strength: 9}").split("\n")
    assert [line.split(": ")[1] for line in told] == ["recording.skip", "steering.strength"]


def test_default_settings_pass(tmp_path):
    assert check(tmp_path) == Config()


def test_users_stories_need_only_the_contracts_overlay(tmp_path):
    """design.md, section 7: two lines, and the concepts are those of the stories."""
    stories = tmp_path / "my stories.jsonl"
    lines = [{"emotion": e, "topic": t, "text": "x"} for e in ("wistful", "gleeful") for t in "ab"]
    stories.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    settings = check(
        tmp_path,
        f'story_sets:\n  mine: {{source: file, path: "{stories}"}}\nrun: {{story_sets: [mine]}}\n',
    )
    assert settings.run.story_sets == ["mine"]


def test_a_model_writes_about_any_word(tmp_path):
    settings = check(
        tmp_path,
        "emotions: [wistful, stoic]\nrun: {story_sets: [own]}\nsteering: {concepts: [stoic, wistful]}",
    )
    assert settings.emotions == ["wistful", "stoic"]


def test_depth_is_known_from_a_local_folder(tmp_path, tiny_folder):
    overlay = f'models: {{t: {{source: "{tiny_folder}"}}}}\nrun: {{models: [t]}}\nvalidation: {{layer: 4}}'
    assert "layer 4, but the model has layers 0 to 3 (model 't')" in message(tmp_path, overlay)


def test_depth_is_known_from_an_earlier_run(tmp_path):
    (tmp_path / "results/hub").mkdir(parents=True)
    (tmp_path / "results/hub/model.json").write_text('{"n_layers": 12}')
    overlay = "models: {hub: {source: owner/name}}\nrun: {models: [hub]}\nsteering: {layers: [12]}"
    assert "layer 12, but the model has layers 0 to 11 (model 'hub')" in message(tmp_path, overlay)


def test_writers_are_among_the_models_that_a_run_touches(tmp_path):
    settings = check(tmp_path, "models: {big: {source: owner/name}}\nrun: {models: [big], story_sets: [own]}")
    assert used_models(settings) == ["big", "smollm2"]
