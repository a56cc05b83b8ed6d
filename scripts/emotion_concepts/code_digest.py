"""A digest of what a script does: its own code and every project module that it imports.

Snakemake's own code trigger sees the script file alone, and reacts to a comment or a touch. This
digest follows imports, and leaves out comments, formatting and docstrings.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "emotion_concepts"


def code_digest(script: Path, root: Path) -> str:
    """Digest of `script` and of the modules under `root` that it imports, directly or not.

    Parameters
    ----------
    script : Path
        A Python file.
    root : Path
        The folder that holds the package (`scripts/`).
    """
    seen: dict[Path, str] = {}
    waiting = [Path(script)]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen[path], imported = _read(path, Path(root), path.stat().st_mtime_ns)
            waiting += imported
    parts = sorted(f"{path.relative_to(root)} {digest}" for path, digest in seen.items())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _read(path: Path, root: Path, _mtime_ns: int) -> tuple[str, tuple[Path, ...]]:
    """Digest of one file's syntax tree, and the project files that it imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return digest, tuple(sorted(set(_imported(tree, root))))


def _imported(tree: ast.AST, root: Path):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            yield from _files(node.module, root)
            for name in node.names:
                yield from _files(f"{node.module}.{name.name}", root)
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == PACKAGE:
                    yield from _files(name.name, root)


def _files(module: str, root: Path):
    """The file of a module, or of a package; nothing for a name that is neither.

    The package's own `__init__` is left out: it only says where the public names live, and the
    version in it must not rerun a GPU job.
    """
    base = root.joinpath(*module.split("."))
    if base.with_suffix(".py").is_file():
        yield base.with_suffix(".py")
    elif (base / "__init__.py").is_file() and module != PACKAGE:
        yield base / "__init__.py"
