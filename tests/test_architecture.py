"""The packages import upstream only: corpus <- index <- qa <- app and evals; libraries stay at the edge."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UPSTREAM = {
    "corpus": {"corpus"},
    "index": {"corpus", "index"},
    "qa": {"corpus", "index", "qa"},
    "app": {"corpus", "index", "qa", "app"},
    "evals": {"corpus", "index", "qa", "evals"},
}
EDGE_LIBRARIES = {
    "chromadb": "chroma",
    "llama_index": "llama",
    "tantivy": "tantivy",
    "tiktoken": "tiktoken",
    "onnxruntime": "onnx",
    "sqlite3": "library",
    "trafilatura": "html",
    "pypdf": "pdf",
    "torch": "train",
    "rensa": "rensa",
    "typer": "typer",
    "fastapi": "fastapi",
    "opentelemetry": "opentelemetry",
}


def _files() -> list[Path]:
    packages = [path for name in ("corpus", "index", "qa", "evals") for path in (ROOT / name).rglob("*.py")]
    return sorted([*packages, ROOT / "app.py"]) if (ROOT / "app.py").exists() else sorted(packages)


def _imports(tree: ast.AST) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.append(node.module)
    return names


FILES = _files()
IDS = [str(path.relative_to(ROOT)) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_packages_import_upstream_only(path):
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    tops = {name.split(".")[0] for name in _imports(ast.parse(path.read_text()))}
    assert tops & set(UPSTREAM) <= UPSTREAM[package]
    assert "tests" not in tops


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_edge_libraries_live_in_files_that_carry_their_name(path):
    tops = {name.split(".")[0] for name in _imports(ast.parse(path.read_text()))}
    relative = str(path.relative_to(ROOT))
    for library, mark in EDGE_LIBRARIES.items():
        if library in tops:
            assert mark in relative or relative == "app.py", f"{relative} imports {library}"
    if "gradio" in tops:
        assert relative == "app.py" or relative.startswith("qa/views/")


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "types.py"], ids=lambda p: p.parent.name)
def test_types_import_only_upstream_types(path):
    upstream = [name for name in _imports(ast.parse(path.read_text())) if name.split(".")[0] in UPSTREAM]
    assert all(name.endswith((".types", ".errors")) for name in upstream)


def test_no_file_named_for_nothing():
    forbidden = {"utils.py", "helpers.py", "common.py", "base.py", "manager.py"}
    assert not [path for path in FILES if path.name in forbidden]
