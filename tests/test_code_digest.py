"""The digest follows imports, and sees code but not comments."""

import pytest

from emotion_concepts.code_digest import code_digest

SCRIPT = '"""Doc."""\nfrom emotion_concepts.near import f\n\nprint(f(1))\n'
NEAR = "from emotion_concepts import far\n\n\ndef f(x):\n    return far.g(x)\n"
FAR = 'def g(x):\n    """Doc."""\n    return x + 1\n'


@pytest.fixture
def tree(tmp_path):
    package = tmp_path / "emotion_concepts"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "near.py").write_text(NEAR)
    (package / "far.py").write_text(FAR)
    (package / "other.py").write_text("x = 1\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path


SEEN = {
    "a semantic edit two imports down": ("emotion_concepts/far.py", FAR.replace("x + 1", "x + 2")),
    "a semantic edit of the script": ("script.py", SCRIPT.replace("f(1)", "f(2)")),
}
UNSEEN = {
    "a comment": ("emotion_concepts/far.py", "# why\n" + FAR),
    "a docstring": ("emotion_concepts/far.py", FAR.replace("Doc.", "Better doc.")),
    "a docstring that goes": ("emotion_concepts/far.py", FAR.replace('    """Doc."""\n', "")),
    "formatting": ("emotion_concepts/far.py", FAR.replace("x + 1", "(x\n            + 1)")),
    "a touch": ("emotion_concepts/far.py", FAR),
    "a module that is not imported": ("emotion_concepts/other.py", "x = 2\n"),
    "the version": ("emotion_concepts/__init__.py", "__version__ = '2'\n"),
}


@pytest.mark.parametrize("change", SEEN)
def test_what_is_seen(tree, change):
    before = code_digest(tree / "script.py", tree)
    name, text = SEEN[change]
    (tree / name).write_text(text)
    assert code_digest(tree / "script.py", tree) != before


@pytest.mark.parametrize("change", UNSEEN)
def test_what_is_not_seen(tree, change):
    before = code_digest(tree / "script.py", tree)
    name, text = UNSEEN[change]
    (tree / name).write_text(text)
    assert code_digest(tree / "script.py", tree) == before
