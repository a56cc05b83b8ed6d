"""Generate config.yaml and its JSON schema from the typed settings (`make config`)."""

from pathlib import Path

from emotion_concepts.config_files import config_schema, config_yaml
from emotion_concepts.entry import run_script
from emotion_concepts.files import write_text


def main(config: Path = Path("config.yaml"), schema: Path = Path("resources/config.schema.json")) -> None:
    """Write both, whole."""
    write_text(config, config_yaml())
    write_text(schema, config_schema())


if __name__ == "__main__":
    run_script(main, globals())
