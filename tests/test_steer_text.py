"""`make steer` on results as a run leaves them."""

import json
import subprocess
import sys

from emotion_concepts import Steering, generate, load_model
from emotion_concepts.vectors import save_vectors
from tests.conftest import ROOT


def test_make_steer_shows_both_texts_of_a_prompt_as_it_was_given(tmp_path, tiny_folder, tiny_vectors):
    base = tmp_path / "my results" / "tiny"
    save_vectors(base / "vectors/mine/vectors.safetensors", tiny_vectors)
    (base / "model.json").write_text(
        json.dumps({"path": str(tiny_folder), "source": "tiny", "revision": "r1"})
    )
    text = "She paid $5, 'twice' & \"more\"; `echo x` $(STRENGTH)"
    done = subprocess.run(
        ["make", "--no-print-directory", "-o", "installed", "INSTALLED=installed", f"VENV='{sys.executable}'", "steer",
         f"RESULTS={base.parent}", "MODEL=tiny", "STORY_SET=mine", f"TEXT={text}", "CONCEPT=sad", "STRENGTH=2"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    model = load_model(str(tiny_folder), dtype="float32")
    steerings = [None, Steering(tiny_vectors, "sad", 2.0)]
    for name, written in zip(
        ("unsteered", "sad 2.0"), generate(model, [text] * 2, steerings, max_new_tokens=60), strict=True
    ):
        assert f"--- {name} (perplexity " in done.stdout
        assert written.strip().split("\n")[0] in done.stdout


def test_an_unknown_concept_is_one_line(tmp_path, tiny_folder, tiny_vectors):
    save_vectors(tmp_path / "vectors.safetensors", tiny_vectors)
    (tmp_path / "model.json").write_text(
        json.dumps({"path": str(tiny_folder), "source": "tiny", "revision": "r1"})
    )
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/steer_text.py"), "--model", str(tmp_path / "model.json"),
         "--vectors", str(tmp_path / "vectors.safetensors"), "--concept", "glad", "--text", "It was"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "no vector for 'glad'; known: afraid, calm, sad" in done.stderr
