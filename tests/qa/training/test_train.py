"""The loop and the export over a handful of rows; needs the [train] extra's PyTorch and skips without it."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from qa.network_onnx import ReaderNetwork as ShippedNetwork  # noqa: E402
from qa.reading_input import make_input  # noqa: E402
from qa.training import train_torch  # noqa: E402
from qa.training.export_onnx import export, load_exported  # noqa: E402
from qa.training.model_torch import ReaderNetwork  # noqa: E402
from qa.training.rows import Row  # noqa: E402
from qa.training.train_torch import LATER_RATE, Course, _rate_at, collate, locate, train  # noqa: E402

pytestmark = pytest.mark.slow
PASSAGE = "Kabas revealed it in March. Rwanda wants £50 million."
ROWS = [
    Row("Who revealed it?", "Title", PASSAGE, ((0, 5),), True),
    Row("When was it revealed?", "Title", PASSAGE, ((21, 26),), True),
    Row("Who won the cup?", "Title", PASSAGE, (), False),
    Row("Rwanda wants £50 million.", "", PASSAGE, supported=True),
    Row("Rwanda wants £60 million.", "", PASSAGE, supported=False),
] * 8


def _network():
    torch.manual_seed(1)
    return ReaderNetwork()


def test_locate_finds_the_pieces_of_a_span():
    pair = make_input("Who?", "", PASSAGE)
    first, last = locate(pair, (21, 26))
    assert PASSAGE[pair.starts[first - pair.first] : pair.ends[last - pair.first]] == "March"


def test_collate_marks_what_is_not_known():
    import random

    batch = collate(ROWS[:5], random.Random(1))
    assert batch.spans[2].tolist() == [0, 0] and batch.spans[3].tolist() == [-1, -1]
    assert batch.answerable.tolist() == [1.0, 1.0, 0.0, -1.0, -1.0]
    assert batch.supported.tolist() == [-1.0, -1.0, -1.0, 1.0, 0.0]


def test_training_learns_and_resumes_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(train_torch, "LOG_STEPS", 1)
    course = Course([lambda seed: ROWS * 6] * 3, cycles=(2, 1), rate=1e-3)
    whole = _network()
    train(whole, course, tmp_path / "whole", after_stage=lambda network, done: None)
    lines = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["span"] < lines[0]["span"]

    class StopError(Exception):
        pass

    def stop(network, done):
        if done == 2:
            raise StopError

    def nothing(network, done):
        pass

    with pytest.raises(StopError):
        train(_network(), course, tmp_path / "stopped", after_stage=stop)
    resumed = train(_network(), course, tmp_path / "stopped", after_stage=nothing)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, msg=name)


def test_the_learning_rate_falls_to_nothing_at_the_end_of_each_cycle():
    rates = [_rate_at(step, [100, 150], LATER_RATE) for step in range(150)]
    assert rates[99] < 0.02 and rates[149] < 0.02
    assert max(rates[:100]) == 1.0 and max(rates[100:]) == LATER_RATE


def test_export_gives_the_same_answers_as_the_network(tmp_path):
    network = _network().eval()
    checks = [make_input(row.text, row.header, row.passage) for row in ROWS[:5]]
    gaps = export({name: value.numpy() for name, value in network.state_dict().items()}, tmp_path, checks)
    assert gaps["largest"] < 0.2 and gaps["megabytes"] < 30
    shipped = ShippedNetwork(tmp_path).score(checks[:1])[0]
    tensors = [torch.from_numpy(array)[None] for array in (checks[0].ids, checks[0].segments, checks[0].marks)]
    with torch.inference_mode():
        spans, _ = network(*tensors, torch.ones((1, len(checks[0])), dtype=torch.bool))
    assert np.abs(np.asarray(spans[0]) - shipped.spans).max() < 0.5


def test_an_exported_network_can_learn_on(tmp_path):
    before = _network().state_dict()
    export({name: value.numpy() for name, value in before.items()}, tmp_path, [make_input("Who?", "", PASSAGE)])
    after = load_exported(tmp_path)
    assert after.keys() == before.keys()
    for name, value in before.items():
        step = np.abs(value.numpy()).max() / 63  # of the coarsest products, which have 7 bits
        np.testing.assert_allclose(after[name], value.numpy(), atol=step, err_msg=name)
    exactly_kept = "span.weight", "verdicts.weight", "layers.0.inner.weight", "positions.weight"
    for name in exactly_kept:
        np.testing.assert_array_equal(after[name], before[name].numpy())
