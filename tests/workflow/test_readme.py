"""What the README prints can be used as printed."""

import re

import yaml

from emotion_concepts.config_check import checked_config
from tests.conftest import ROOT
from tests.test_config_check import merge

README = (ROOT / "README.md").read_text(encoding="utf-8")
READING = (ROOT / "docs/reading.md").read_text(encoding="utf-8")


def blocks(language, page=README):
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_every_overlay_is_accepted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_stories.jsonl").write_text(
        "".join(f'{{"emotion": "{e}", "topic": "t", "text": "x"}}\n' for e in ("wistful", "gleeful"))
    )
    for name in ("theirs.npz", "names.txt", "my_messages.jsonl", "dev.tsv", "labels.txt"):
        (tmp_path / name).touch()
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    overlays = [*blocks("yaml"), *blocks("yaml", READING)]
    assert len(overlays) >= 6
    for text in overlays:
        settings = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
        merge(settings, yaml.safe_load(text))
        checked_config(settings, resources=ROOT / "resources", results=tmp_path)


def test_targets_that_are_named_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?<!\w)make ([\w-]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
