"""config.yaml and its JSON schema, generated from the typed settings (`make config`)."""

import json
import textwrap

import yaml
from pydantic import BaseModel

from emotion_concepts.config import Config

HEADER = """\
# yaml-language-server: $schema=resources/config.schema.json
# The default run. Generated from scripts/emotion_concepts/config.py by `make config`: for a run of your
# own, write only the keys that differ into another file and give it as `--configfile mine.yaml`.
"""


def config_yaml() -> str:
    """The default settings as YAML, each key under its description."""
    return HEADER + "\n".join(_section(Config(), "", top=True)) + "\n"


def config_schema() -> str:
    """The JSON schema that editors use to complete and check config.yaml."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(section: BaseModel, indent: str, *, top: bool = False) -> list[str]:
    lines: list[str] = []
    # What a set is comes first, whatever class its key is from.
    fields = sorted(type(section).model_fields.items(), key=lambda item: item[0] != "source")
    for name, field in fields:
        value = getattr(section, name)
        lines += [""] if top else []
        lines += _comment(field.description, indent)
        lines += _entry(name, value, indent)
    return lines


def _entry(name: str, value: object, indent: str) -> list[str]:
    if isinstance(value, BaseModel):
        return [f"{indent}{name}:", *_section(value, indent + "  ")]
    if isinstance(value, dict) and value:
        lines = [f"{indent}{name}:"]
        for key, item in value.items():
            lines += [f"{indent}  {key}:", *_section(item, indent + "    ")]
        return lines
    # JSON's flow style is YAML, and may go on in the next line.
    return textwrap.wrap(
        f"{indent}{name}: {_scalar(value)}", 108, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _scalar(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n...\n").strip()


def _comment(text: str, indent: str) -> list[str]:
    prefix = f"{indent}# "
    return textwrap.wrap(text, 108, initial_indent=prefix, subsequent_indent=prefix)
