import json
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ReaderUnavailableError
from qa.network_onnx import ReaderNetwork
from qa.reading_input import make_input

SHIPPED = Path(str(resources.files("qa") / "models" / "reader-minilm-l6-int8"))
PAIRS = [
    make_input("Who revealed it?", "Title", "The journalist Marisa Kabas revealed it."),
    make_input("Rwanda seeks £50 million.", "", "Rwanda wants £50 million from Britain, it said. " * 8),
    make_input("?", "", "Nothing here."),
]


def test_a_pair_gets_the_same_logits_alone_or_among_others_on_any_number_of_threads():
    together = ReaderNetwork(threads=2).score(PAIRS)
    alone = [ReaderNetwork(threads=1).score([pair])[0] for pair in PAIRS]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.spans, other.spans)
        assert (one.answerable, one.supported) == (other.answerable, other.supported)


def test_logits_are_shaped_like_their_pair():
    assert [len(one.spans) for one in ReaderNetwork().score(PAIRS)] == [len(pair) for pair in PAIRS]


def test_no_pairs_give_no_logits():
    assert ReaderNetwork().score([]) == []


def test_shipped_model_is_small_and_its_card_names_its_hash():
    card = json.loads((SHIPPED / "card.json").read_text())
    assert (SHIPPED / "model.onnx").stat().st_size <= 30_000_000
    assert ReaderNetwork().fingerprint == f"{card['name']}:{card['sha256']['model.onnx'][:12]}"


@pytest.mark.parametrize("fault", ["missing", "damaged", "no card"])
def test_a_broken_model_says_what_mends_it(tmp_path, fault):
    folder = tmp_path / "reader"
    shutil.copytree(SHIPPED, folder)
    if fault == "damaged":
        content = bytearray((folder / "model.onnx").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "model.onnx").write_bytes(content)
    else:
        (folder / ("card.json" if fault == "no card" else "model.onnx")).unlink()
    with pytest.raises(ReaderUnavailableError, match="pip install --force-reinstall byline"):
        ReaderNetwork(folder).score(PAIRS)
