import os

import pytest

from index.seal import Seal, break_seal, inspect_folder, seal_folder


def is_rewritten(name, names):
    return name == "chroma.sqlite3"


@pytest.fixture
def sealed(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "graph.bin").write_bytes(b"graph" * 1_000)
    (tmp_path / "chroma.sqlite3").write_bytes(b"rows" * 1_000)
    (tmp_path / "stamp").write_text("token")
    seal_folder(tmp_path)
    return tmp_path


def test_inspect_folder_finds_what_was_closed(sealed):
    (sealed / "stamp").write_text("another token")
    (sealed / "writer.lock").touch()
    assert inspect_folder(sealed).seal is Seal.WHOLE


@pytest.mark.parametrize("how", ["changed", "cut", "gone", "new"])
def test_inspect_folder_finds_what_differs(sealed, how):
    path = sealed / "deep" / "graph.bin"
    status = path.stat()
    if how == "changed":
        path.write_bytes(b"Graph" * 1_000)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as a failing disk leaves it
    elif how == "cut":
        os.truncate(path, 100)
    elif how == "gone":
        path.unlink()
    else:
        (sealed / "other.bin").write_bytes(b"x")
    inspection = inspect_folder(sealed)
    assert inspection.seal is Seal.BROKEN and inspection.difference


def test_a_file_that_reading_rewrites_proves_nothing(sealed):
    (sealed / "chroma.sqlite3").write_bytes(b"read")
    assert inspect_folder(sealed).seal is Seal.BROKEN
    assert inspect_folder(sealed, is_rewritten).seal is Seal.ABSENT


def test_sealing_again_without_writing_keeps_what_was_known(sealed):
    (sealed / "deep" / "graph.bin").write_bytes(b"damage")
    (sealed / "chroma.sqlite3").write_bytes(b"read")
    seal_folder(sealed, is_rewritten)
    assert inspect_folder(sealed, is_rewritten).difference.startswith("its file 'deep/graph.bin' has changed")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"[1]", b'{"a": "b"}'])
def test_without_a_readable_seal_nothing_is_known(sealed, content):
    if content is None:
        break_seal(sealed)
        break_seal(sealed)
    else:
        (sealed / "seal").write_bytes(content)
    assert inspect_folder(sealed).seal is Seal.ABSENT
