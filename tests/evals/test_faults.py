"""The fault matrix of `evals.benchmarks.library_faults`: ten cases at once, all of them with -m slow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="cases are forked")
ROOT = Path(__file__).parents[2]
QUICK = (
    "nothing is wrong",
    "library.sqlite3: noise in its middle",
    "library.sqlite3: of a newer Byline",
    "library of another encoder",
    "chroma: data_level0.bin is noise",
    "chroma: killed, then data_level0.bin is noise",
    "chroma: chroma.sqlite3 is noise",
    "lexical: *.idx is noise",
    "owner.lock: held by another process",
    "folder of other files",
)
CODE = """
import sys
from pathlib import Path
from evals.benchmarks.library_damages import cases
from evals.benchmarks.library_faults import make_template, run_case
base = Path(sys.argv[1])
template = make_template(base)
for number, case in enumerate(cases()):
    if not sys.argv[2:] or case.name in sys.argv[2:]:
        seen = run_case(case, template, base / f"case-{number}")
        good = seen.sound and seen.verdict in ("right answer", "says what is wrong")
        print("good" if good else "BAD", seen, flush=True)
"""


def run_cases(folder, *names):
    """Run the cases in a process that has opened no library yet, since they are forked from it."""
    command = [sys.executable, "-c", CODE, str(folder), *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(("good", "BAD"))]


@pytest.mark.timeout(900)  # half a minute alone, four on a machine shared by twenty others
def test_ten_faults_are_told_and_mended(tmp_path):
    seen = run_cases(tmp_path, *QUICK)
    assert len(seen) == len(QUICK) and not [line for line in seen if line.startswith("BAD")]


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_every_fault_is_told_and_mended(tmp_path):
    seen = run_cases(tmp_path)
    assert len(seen) >= 50 and not [line for line in seen if line.startswith("BAD")]
