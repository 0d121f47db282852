"""What the README shows is run here: its blocks, its commands with their output, its Python, its table of settings.

`python -m tests.test_docs` puts what the commands print today into the README, for a person to read and commit.
"""

import ast
import json
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import typer

from qa.cli_typer import app
from qa.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FENCE = re.compile(r"(?:<!-- (\w+) -->\n)?```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = [match.groups() for match in FENCE.finditer(README)]
COMMANDS = typer.main.get_command(app)
SHOWN = [path for pattern in ("*.md", "evals/**/*.md", ".ci/run", "NOTICE", "constraints.txt", "pyproject.toml")
         for path in ROOT.glob(pattern)]  # fmt: skip


def _block(mark):
    [body] = [body for name, _, body in BLOCKS if name == mark]
    return body


def _sessions(body):
    """Return the steps of a console block as [(command, output shown)]."""
    return [step.partition("\n")[::2] for step in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]]


def _library(folder):
    return {"BYLINE_LIBRARY": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)}


def _byline(arguments, environment):
    command = [sys.executable, "-m", "qa", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)


def _printed(command, environment):
    program, *arguments = shlex.split(command)
    assert program == "byline"
    done = _byline(arguments, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _shortened(question, environment):
    """Return the answer's JSON with its first hit only."""
    answer = json.loads(_printed(f'byline ask "{question}" --json', environment))
    return answer | {"hits": answer["hits"][:1]}


def _steady(answer):
    """Return what two runs agree on: not times, no scores (processors round unlike), no hash of the weights."""
    unsteady = {"timings_ms", "hits", "confidence", "settings"}
    rest = {name: value for name, value in answer.items() if name not in unsteady}
    return rest | {"places": [(hit["passage_id"], hit["start"], hit["end"], sorted(hit)) for hit in answer["hits"]]}


@pytest.mark.parametrize("mark", ["run", "test"])
def test_readme_block_stands_right_under_its_mark_and_parses(mark):
    body = _block(mark)
    assert README.count(f"<!-- {mark} -->") == 1
    assert subprocess.run(["bash", "-n", "-c", body], timeout=10).returncode == 0
    for line in body.splitlines():
        words = shlex.split(line)
        assert words[0] in {"python3", ".venv/bin/python", ".venv/bin/byline"}
        if "-c" in words:
            assert (ROOT / words[words.index("-c") + 1]).is_file()
        if words[0] == ".venv/bin/byline":
            assert words[1] in COMMANDS.commands


def test_readme_test_block_names_an_extra_that_exists():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    [names] = re.findall(r"\.\[([\w,]+)\]", _block("test"))
    assert set(names.split(",")) <= set(extras)


def test_readme_console_shows_what_is_really_printed(tmp_path):
    environment = _library(tmp_path)
    steps = [step for _, language, body in BLOCKS if language == "console" for step in _sessions(body)]
    assert len(steps) >= 3
    for command, shown in steps:
        assert shown.strip() == _printed(command, environment).strip(), command


def test_readme_commands_run(tmp_path):
    environment = _library(tmp_path)
    lines = [line for mark, language, body in BLOCKS if language == "bash" and not mark for line in body.splitlines()]
    ours = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("byline ")]
    assert ours
    for arguments in ours:
        if arguments[0] != "serve":
            done = _byline(arguments, environment)
            assert done.returncode == 0, (arguments, done.stderr)


def test_readme_python_runs(tmp_path):
    bodies = [body for _, language, body in BLOCKS if language == "python"]
    assert bodies
    for body in bodies:
        done = subprocess.run(
            [sys.executable, "-c", body], env=_library(tmp_path), cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_readme_json_is_what_is_really_printed(tmp_path):
    environment = _library(tmp_path)
    _printed("byline add --sample", environment)
    [shown] = [json.loads(body) for _, language, body in BLOCKS if language == "json"]
    assert _steady(shown) == _steady(_shortened(shown["question"], environment))


def test_readme_table_names_every_setting_and_its_default():
    rows = dict(re.findall(r"^\| `BYLINE_(\w+)` \| ([^|]+) \|", README, flags=re.MULTILINE))
    assert {name.lower() for name in rows} == set(Settings.model_fields)
    for name, shown in rows.items():
        default = Settings.model_fields[name.lower()].default
        if isinstance(default, str | int):
            assert shown.strip() == f"`{default}`", name


@pytest.mark.parametrize("name", sorted(COMMANDS.commands))
def test_command_has_help_and_an_example_that_parses(name, monkeypatch, tmp_path):
    command = COMMANDS.commands[name]
    assert command.help and command.epilog.startswith("Example: byline ")
    (tmp_path / "articles").mkdir()
    monkeypatch.chdir(tmp_path)
    program, called, *arguments = shlex.split(re.sub(r" \([^)]*\)$", "", command.epilog).removeprefix("Example: "))
    assert (program, called) == ("byline", name)
    if "--help" not in arguments:
        command.make_context(name, arguments)


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_docs_name_no_registry_host_and_no_place_on_a_machine(path):
    text = path.read_text("utf-8")
    hosts = r"\bpypi\.\w|pythonhost\w|--index-url"  # spelt so that this file does not name them either
    assert re.findall(rf"{hosts}|/(?:work|tmp|home|root)/", text) == []


def test_constraints_pin_every_direct_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    pins = (ROOT / "constraints.txt").read_text()
    pinned = {line.partition("==")[0] for line in pins.splitlines() if "==" in line}
    assert {re.match(r"[\w-]+", name)[0].lower() for name in wanted} - {"byline"} <= pinned


def test_every_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    optional = [name for extra in ("train", "mcp", "llm", "anthropic") for name in extras[extra]]
    names = [*project["dependencies"], *optional]
    declared = {re.match(r"[\w-]+", name)[0].lower() for name in names}
    files = [path for package in ("corpus", "index", "qa", "evals") for path in (ROOT / package).rglob("*.py")]
    trees = [ast.parse(path.read_text("utf-8")) for path in [*files, ROOT / "app.py"]]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    foreign = imported - set(sys.stdlib_module_names) - {"corpus", "index", "qa", "evals", "app"}
    owners = packages_distributions()
    givers = {name: {name.replace("_", "-"), *map(str.lower, owners.get(name, []))} for name in foreign}
    assert {name for name, packages in givers.items() if not packages & declared} == set()


def test_ci_runs_the_readme_test_block():
    script = (ROOT / ".ci" / "run").read_text()
    [program] = re.findall(r"awk '([^']+)'", script)
    done = subprocess.run(["awk", program, str(ROOT / "README.md")], capture_output=True, text=True, timeout=10)
    assert done.stdout == _block("test")


def _refresh(folder):
    """Put what the commands print today into the README's console and JSON blocks."""
    environment, readme = _library(folder), README
    for _, language, body in BLOCKS:
        if language == "console":
            steps = [f"$ {command}\n{_printed(command, environment)}" for command, _ in _sessions(body)]
            readme = readme.replace(body, "\n".join(step.rstrip() + "\n" for step in steps))
        elif language == "json":
            answer = _shortened(json.loads(body)["question"], environment)
            lines = [f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in answer.items()]
            readme = readme.replace(body, "{\n" + ",\n".join(lines) + "\n}\n")
    (ROOT / "README.md").write_text(readme, "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        _refresh(folder)
