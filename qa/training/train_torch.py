"""The training loop: batches of about equal length, bfloat16 on the CPU, checkpoints that resume, a fixed seed."""

from __future__ import annotations

import bisect
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from qa.reading_input import ReadingInput, make_input
from qa.training.model_torch import ReaderNetwork
from qa.training.rows import Row

SEED = 20261125
LENGTH_STEP = 32  # batches are padded to a multiple of this: few different shapes, or memory grows without end
TOKENS_PER_BATCH = 32 * 160
WARM_UP = 0.06  # of all steps
RATE = 2.5e-4  # highest of the first cycle
LATER_RATE = 0.6  # of it: a second one is to go on, not to begin again
HEAD_RATE = 4.0  # what starts from nothing (heads, marks) learns so many times as fast
WEIGHT_DECAY = 0.01
VERDICT_WEIGHT = 0.5
CHECKPOINT_STEPS = 100
LOG_STEPS = 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded inputs and targets of some rows; -1 marks a target that is not known."""

    ids: Tensor
    segments: Tensor
    marks: Tensor
    mask: Tensor
    pointable: Tensor
    spans: Tensor
    answerable: Tensor
    supported: Tensor


@dataclass(frozen=True, slots=True)
class Course:
    """What is learned in which order.

    Args:
        stages: Each gives the rows of one pass, by a seed; run one after the other.
        cycles: How many stages each cycle has; in a cycle the learning rate rises once and falls to nothing. All
            stages are one cycle when empty.
        rate: Highest learning rate of the first cycle.
        later: Share of it that the cycles after it reach.

    The network learned is the mean of those at the ends of the cycles (SGDR, Loshchilov and Hutter 2017; averaged as
    by Izmailov et al. 2018). A run of fewer cycles is the beginning of a run of more.
    """

    stages: Sequence[Callable[[str], Sequence[Row]]]
    cycles: Sequence[int] = ()
    rate: float = RATE
    later: float = LATER_RATE


def train(
    network: ReaderNetwork, course: Course, folder: Path, *, after_stage: Callable[[ReaderNetwork, int], None]
) -> ReaderNetwork:
    """Train through all stages, from the last checkpoint of `folder` if there is one.

    Args:
        network: Changed in place.
        course: Its stages' rows are drawn from seeds that depend on the stage alone, so a resumed run sees the same.
        folder: For `checkpoint.pt` and `log.jsonl`.
        after_stage: Called with the network in evaluation mode and the number of stages done.
    """
    torch.manual_seed(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    network.words.weight.requires_grad_(False)  # half of all weights; too few questions to teach 30,522 words
    drawn = [_cut_batches(stage(f"{SEED}:{number}")) for number, stage in enumerate(course.stages)]
    sizes = [len(batches) for batches in drawn]
    optimiser = _optimiser(network, course.rate)
    total, ends = sum(sizes), _cycle_ends(sizes, course.cycles or [len(sizes)])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate_at(step, ends, course.later))
    done = _resume(folder, network, optimiser, schedule)
    step, started = 0, time.monotonic()
    for number, batches in enumerate(drawn):
        if step + sizes[number] <= done:
            step += sizes[number]
            continue
        for batch in make_batches(batches, f"{SEED}:{number}"):
            step += 1
            if step <= done:
                continue
            losses = _learn(network, optimiser, batch)
            schedule.step()
            if step % LOG_STEPS == 0:
                _log(folder, step=step, of=total, stage=number, minutes=(time.monotonic() - started) / 60, **losses)
            if step % CHECKPOINT_STEPS == 0:
                _save(folder, network, optimiser, schedule, step)
        network.eval()
        after_stage(network, number + 1)
        if step in ends:
            torch.save(network.state_dict(), folder / f"cycle-{ends.index(step) + 1}.pt")
        _save(folder, network, optimiser, schedule, step)
    _load_mean(network, [folder / f"cycle-{n}.pt" for n in range(1, len(ends) + 1)])
    return network.eval()


def make_batches(batches: Sequence[Sequence[Row]], seed: str) -> Iterator[Batch]:
    """Yield the batches padded, in an order drawn from the seed."""
    rng = random.Random(seed)
    for chosen in rng.sample(batches, len(batches)):
        yield collate(chosen, rng)


def collate(rows: Sequence[Row], rng: random.Random) -> Batch:
    """Pad rows to one length and set their targets; of several answer spans one is drawn."""
    inputs = [make_input(row.text, row.header, row.passage) for row in rows]
    length = math.ceil(max(len(given) for given in inputs) / LENGTH_STEP) * LENGTH_STEP
    arrays = {name: np.zeros((len(rows), length), np.int64) for name in ("ids", "segments", "marks", "mask", "point")}
    spans = np.full((len(rows), 2), -1, np.int64)
    for i, (row, given) in enumerate(zip(rows, inputs, strict=True)):
        n = len(given)
        arrays["ids"][i, :n], arrays["segments"][i, :n] = given.ids, given.segments
        arrays["marks"][i, :n], arrays["mask"][i, :n] = given.marks, 1
        arrays["point"][i, given.first : given.first + len(given.starts)] = 1
        arrays["point"][i, 0] = 1
        if row.spans:
            spans[i] = locate(given, rng.choice(row.spans))
        elif row.answerable is False:
            spans[i] = 0
    return Batch(
        torch.from_numpy(arrays["ids"]),
        torch.from_numpy(arrays["segments"]),
        torch.from_numpy(arrays["marks"]),
        torch.from_numpy(arrays["mask"]).bool(),
        torch.from_numpy(arrays["point"]).bool(),
        torch.from_numpy(spans),
        _verdicts([row.answerable for row in rows]),
        _verdicts([row.supported for row in rows]),
    )


def locate(given: ReadingInput, span: tuple[int, int]) -> tuple[int, int]:
    """Return the first and last word piece of a character span, or (-1, -1) when the input was cut before it."""
    inside = np.flatnonzero((given.ends > span[0]) & (given.starts < span[1]))
    if not len(inside) or given.ends[-1] < span[1]:
        return -1, -1
    return given.first + int(inside[0]), given.first + int(inside[-1])


def _learn(network: ReaderNetwork, optimiser: torch.optim.Optimizer, batch: Batch) -> dict[str, float]:
    network.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        spans, verdicts = network(batch.ids, batch.segments, batch.marks, batch.mask)
    spans, verdicts = spans.float(), verdicts.float()
    spans = spans.masked_fill(~batch.pointable[:, :, None], -1e4)
    known = batch.spans[:, 0] >= 0
    span_loss = torch.zeros(())
    if known.any():
        start = functional.cross_entropy(spans[known, :, 0], batch.spans[known, 0])
        span_loss = (start + functional.cross_entropy(spans[known, :, 1], batch.spans[known, 1])) / 2
        span_loss = span_loss * known.float().mean()
    answerable = _verdict_loss(verdicts[:, 0], batch.answerable)
    supported = _verdict_loss(verdicts[:, 1], batch.supported)
    loss = span_loss + VERDICT_WEIGHT * (answerable + supported)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    losses = {"span": span_loss, "answerable": answerable, "supported": supported}
    return {name: float(value.detach()) for name, value in losses.items()}


def _verdict_loss(logits: Tensor, targets: Tensor) -> Tensor:
    known = targets >= 0
    if not known.any():
        return torch.zeros(())
    return functional.binary_cross_entropy_with_logits(logits[known], targets[known]) * known.float().mean()


def _verdicts(values: Sequence[bool | None]) -> Tensor:
    return torch.tensor([-1.0 if value is None else float(value) for value in values])


def _cut_batches(rows: Sequence[Row]) -> list[list[Row]]:
    """Group rows of about the same length into batches of about the same number of word pieces."""
    lengths = [len(make_input(row.text, row.header, row.passage)) for row in rows]
    batches: list[list[Row]] = [[]]
    longest = 0
    for place in sorted(range(len(rows)), key=lambda i: (math.ceil(lengths[i] / LENGTH_STEP), rows[i].text)):
        longest = math.ceil(lengths[place] / LENGTH_STEP) * LENGTH_STEP
        if batches[-1] and (len(batches[-1]) + 1) * longest > TOKENS_PER_BATCH:
            batches.append([])
        batches[-1].append(rows[place])
    return batches


def _optimiser(network: ReaderNetwork, rate: float) -> torch.optim.Optimizer:
    heads = (network.span, network.pooled, network.verdicts, network.marks)
    fresh = [parameter for head in heads for parameter in head.parameters()]
    known = {id(parameter) for parameter in fresh}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in known]
    groups = [{"params": rest, "lr": rate}, {"params": fresh, "lr": rate * HEAD_RATE}]
    return torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY, betas=(0.9, 0.98))


def _cycle_ends(sizes: Sequence[int], cycles: Sequence[int]) -> list[int]:
    """Return the step after which each cycle ends."""
    stages = np.cumsum(cycles)
    return [int(np.sum(sizes[:last])) for last in stages]


def _rate_at(step: int, ends: Sequence[int], later: float) -> float:
    """Return the share of the highest rate at a step: a rise and a fall within the cycle the step lies in."""
    cycle = min(bisect.bisect_right(ends, step), len(ends) - 1)
    begin = ends[cycle - 1] if cycle else 0
    done, total = step - begin, ends[cycle] - begin
    warm = max(1, int(WARM_UP * total))
    share = min((done + 1) / warm, max(0.0, (total - done) / max(1, total - warm)))
    return share * (later if cycle else 1.0)


def _load_mean(network: ReaderNetwork, paths: Sequence[Path]) -> None:
    states = [torch.load(path, weights_only=True) for path in paths]
    network.load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})


def _save(folder: Path, network: ReaderNetwork, optimiser: object, schedule: object, step: int) -> None:
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),  # type: ignore[attr-defined]
        "schedule": schedule.state_dict(),  # type: ignore[attr-defined]
        "step": step,
        "torch_random": torch.get_rng_state(),
    }
    torch.save(state, folder / "checkpoint.new")
    (folder / "checkpoint.new").replace(folder / "checkpoint.pt")


def _resume(
    folder: Path,
    network: ReaderNetwork,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
) -> int:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["torch_random"])
    return int(state["step"])


def _log(folder: Path, **figures: float) -> None:
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({name: round(value, 4) for name, value in figures.items()}) + "\n")
