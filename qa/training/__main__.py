"""`python -m qa.training COMMAND`: train the embedded reader from the published encoder, on a CPU, and ship it.

```
python -m qa.training train DATA WORK WEIGHTS    # hours; a second start goes on where the first one stopped
python -m qa.training continue DATA WORK         # the shipped network learns on, from what was written for it
python -m qa.training export DATA WORK           # WORK/network.pt -> qa/models/reader-minilm-l6-int8
python -m qa.training fit DATA WORK              # weights, gate and threshold -> qa/models/extractive.json
python -m qa.training measure DATA               # the shipped model given the right paragraph, inner test part
```
Needs the [train] extra and, to train and export, PyTorch. DATA holds the evaluation sets, WORK keeps libraries,
checkpoints and the log, WEIGHTS is `model.safetensors` of all-MiniLM-L6-v2.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qa.network_onnx import Logits
from qa.network_onnx import ReaderNetwork as ShippedNetwork
from qa.reading_input import ReadingInput, make_header, make_input
from qa.training.gather import (
    contrast_stage,
    gather,
    gather_asked_news,
    gather_contrast,
    gather_written,
    judged_stage,
    made_stage,
    reworded_stage,
    written_stage,
)
from qa.training.measure import figures, read_paragraphs
from qa.training.rows import OTHER_WORDS, PLAIN, WRITTEN, ChunkedSet, Part, Row, load_chunked, load_written

if TYPE_CHECKING:
    from qa.training.model_torch import ReaderNetwork
    from qa.training.train_torch import Course

MADE_ROWS = 14_000
PASSES = (4, 3)
WRITTEN_PASSES = (0, 0, 0, 1)  # (2, 1, 0, 0) and (0, 1, 1, 0) for the two networks before
START_SHARE = 0.25  # of the network it went on from, in the mean with what it became; see written_news/README.md
MODELS = Path(__file__).parent.parent / "models"
SHIPPED = MODELS / "reader-minilm-l6-int8"
N_CHECKS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m qa.training", description="Train and ship the embedded reader.")
    commands = parser.add_subparsers(required=True)
    learn = commands.add_parser("train", help="learn the network's weights")
    for name in ("data", "work", "weights"):
        learn.add_argument(name, type=Path)
    learn.add_argument("--made", type=int, default=MADE_ROWS, help="rows with questions made by rule, learned first")
    learn.add_argument(
        "--passes", type=int, nargs="+", default=PASSES, help="over the judged questions; one number for each cycle"
    )
    learn.set_defaults(run=_train)
    more = commands.add_parser("continue", help="let the shipped network learn on, from news written to learn from")
    more.add_argument("data", type=Path)
    more.add_argument("work", type=Path)
    more.add_argument(
        "--passes",
        type=int,
        nargs=4,
        default=WRITTEN_PASSES,
        help="over the news with hard questions, a cycle of its own; over everything; over other words and real news; "
        "over contrast pairs beside all that was written, balanced",
    )
    more.set_defaults(run=_continue)
    ship = commands.add_parser("export", help="quantise the trained network and put it into the package")
    ship.add_argument("data", type=Path)
    ship.add_argument("work", type=Path)
    ship.set_defaults(run=_export)
    tune = commands.add_parser("fit", help="fit what turns the network's logits into an answer")
    tune.add_argument("data", type=Path)
    tune.add_argument("work", type=Path)
    tune.set_defaults(run=_fit)
    test = commands.add_parser("measure", help="measure the shipped network given the right paragraph")
    test.add_argument("data", type=Path)
    test.set_defaults(run=_measure)
    options = parser.parse_args(arguments)
    options.run(options)
    return 0


def _train(options: argparse.Namespace) -> None:
    import torch

    from qa.training.model_torch import load_published
    from qa.training.train_torch import Course

    options.work.mkdir(parents=True, exist_ok=True)
    pool = gather(options.data, options.work)
    stages = [lambda seed: made_stage(pool, options.made, seed)] if options.made else []
    stages += [lambda seed: judged_stage(pool, seed)] * sum(options.passes)
    cycles = [bool(options.made) + options.passes[0], *options.passes[1:]]
    network = _learn(load_published(options.weights), Course(stages, cycles), options)
    torch.save(network.state_dict(), options.work / "network.pt")


def _continue(options: argparse.Namespace) -> None:
    import torch

    from qa.training.export_onnx import load_exported
    from qa.training.model_torch import ReaderNetwork

    options.work.mkdir(parents=True, exist_ok=True)
    start = options.work / "start.pt"
    if not start.exists():  # a resumed run may find another network shipped
        shipped = {name: torch.from_numpy(values) for name, values in load_exported(SHIPPED).items()}
        torch.save(shipped, start)
    network = ReaderNetwork()
    before = torch.load(start, weights_only=True)
    network.load_state_dict(before)
    course = _course_on(options.data, options.work, *options.passes)
    learned = _learn(network, course, options).state_dict()
    mean = {name: START_SHARE * before[name] + (1 - START_SHARE) * value for name, value in learned.items()}
    torch.save(mean, options.work / "network.pt")


def _course_on(data: Path, work: Path, n_hard: int, n_every: int, n_reworded: int, n_contrast: int) -> Course:
    """Return the course of a network that learns on; what no pass goes over is neither read nor mined."""
    from qa.training.train_torch import LATER_RATE, RATE, Course

    pool, every = gather(data, work), gather_written(work, (WRITTEN, PLAIN))
    stages: list[Callable[[str], Sequence[Row]]] = []
    if n_hard:
        hard = gather_written(work)
        stages += [lambda seed: written_stage(pool, hard, seed)] * n_hard
    stages += [lambda seed: written_stage(pool, every, seed)] * n_every
    if n_reworded or n_contrast:
        new = gather_written(work, (WRITTEN, PLAIN), questions=OTHER_WORDS), gather_asked_news(data, work)
        stages += [lambda seed: reworded_stage(pool, every, new, seed)] * n_reworded
    if n_contrast:
        from qa.training.balance_sklearn import balance

        pairs = gather_contrast(data, work)
        stages += [lambda seed: contrast_stage(pool, (every, *new), pairs, balance, seed)] * n_contrast
    cycles = [n for n in (n_hard, n_every + n_reworded + n_contrast) if n]
    return Course(stages, cycles, rate=RATE * LATER_RATE, later=1.0)


def _learn(network: ReaderNetwork, course: Course, options: argparse.Namespace) -> ReaderNetwork:
    from qa.training.train_torch import train

    reworded = [load_written(folder, OTHER_WORDS) for folder in (WRITTEN, PLAIN)]
    sets = _squad(options.data), load_written(), load_written(PLAIN), *reworded

    def after_stage(network: ReaderNetwork, done: int) -> None:
        for of in sets:
            read = read_paragraphs(of, of.part(Part.TUNE), scorer(network))
            _show({"stage": done, "set": of.name, "questions": of.questions, **figures(read, of)})

    return train(network, course, options.work, after_stage=after_stage)


def _export(options: argparse.Namespace) -> None:
    import torch

    from qa.training.export_onnx import export
    from qa.training.model_torch import ReaderNetwork

    state = torch.load(options.work / "network.pt", weights_only=True)
    squad = _squad(options.data)
    checks = [_first_input(squad, i) for i in range(N_CHECKS)]
    _show(export({name: tensor.numpy() for name, tensor in state.items()}, SHIPPED, checks))
    network = ReaderNetwork()
    network.load_state_dict(state)
    network.eval()
    for part in (Part.TUNE, Part.TEST):
        _show({"fp32": str(part), **figures(read_paragraphs(squad, squad.part(part), scorer(network)), squad)})
    _measure(options)


def _fit(options: argparse.Namespace) -> None:
    from qa.training.fit import fit

    for kind, found in fit(options.data, options.work, ShippedNetwork(), MODELS / "extractive.json").items():
        _show({"kind": kind, **found})


def _measure(options: argparse.Namespace) -> None:
    squad, shipped = _squad(options.data), ShippedNetwork()
    for part in (Part.TUNE, Part.TEST):
        read = read_paragraphs(squad, squad.part(part), lambda pair: shipped.score([pair])[0])
        _show({"int8": str(part), **figures(read, squad)})


def scorer(network: ReaderNetwork) -> Callable[[ReadingInput], Logits]:
    """Return a function from one input to the torch network's logits, fp32."""
    import numpy as np
    import torch

    def score(given: ReadingInput) -> Logits:
        tensors = [torch.from_numpy(array)[None] for array in (given.ids, given.segments, given.marks)]
        with torch.inference_mode():
            spans, verdicts = network(*tensors, torch.ones((1, len(given)), dtype=torch.bool))
        return Logits(np.asarray(spans[0]), float(verdicts[0, 0]), float(verdicts[0, 1]))

    return score


def _squad(data: Path) -> ChunkedSet:
    return load_chunked(data / "wiki_squad", group_pattern="-")


def _first_input(of: ChunkedSet, place: int) -> ReadingInput:
    one = of.asked[place * len(of.asked) // N_CHECKS]
    article = of.articles[one.article_id]
    return make_input(one.question, make_header(article), of.passages[one.article_id][0].text)


def _show(found: dict[str, object] | dict[str, float]) -> None:
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}
    sys.stdout.write(json.dumps(rounded) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
