"""config.yaml, its schema and the typed settings say the same."""

import json
import re

import yaml

from emotion_concepts.config import Config
from emotion_concepts.config_files import config_schema, config_yaml
from tests.conftest import ROOT


def test_config_yaml_is_what_the_settings_generate():
    assert (ROOT / "config.yaml").read_text(encoding="utf-8") == config_yaml(), "run `make config`"


def test_schema_is_what_the_settings_generate():
    assert (ROOT / "resources/config.schema.json").read_text(encoding="utf-8") == config_schema(), (
        "run `make config`"
    )


def test_config_yaml_means_the_default_settings():
    assert Config.model_validate(yaml.safe_load(config_yaml())) == Config()


def test_every_key_stands_under_its_description():
    lines = config_yaml().split("\n")
    keys = [i for i, line in enumerate(lines) if re.match(r" *\w+:", line)]
    names = {"smollm2:", "bundled:", "own:", "plays:"}  # a user's own names, not keys
    bare = [
        lines[i] for i in keys if not lines[i - 1].strip().startswith("#") and lines[i].strip() not in names
    ]
    assert bare == []


def test_every_field_is_described_in_the_schema():
    def fields(schema):
        for definition in [schema, *schema.get("$defs", {}).values()]:
            yield from definition.get("properties", {}).items()

    assert [name for name, field in fields(json.loads(config_schema())) if not field.get("description")] == []
