"""The trained network as an int8 ONNX graph and back: package data that onnxruntime reads, hashes in `card.json`."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from index.models.build_encoder_onnx import OPSET, GraphBuilder, quantise, transformer_layer
from qa.reading_input import ReadingInput
from qa.training.model_torch import LAYERS, published_layer

NAME = "reader-minilm-l6-int8"
# Heads and small tables are a thousandth of the weights; the answers hang on them. Of the layers, the first two lose
# most when they are quantised: these three products bring the mean difference of the span logits from 0.156 to 0.115.
KEPT_FP32 = (
    *("segment_rows", "mark_rows", "spans.product", "pooled.product", "verdicts.product"),
    *("layer0.wide.product", "layer0.narrow.product", "layer1.wide.product"),
)
# The network's names and the graph's, where they differ.
NORM_NAMES = {"weight": "scale", "bias": "bias"}
LAYER_PRODUCTS = {"qkv": "qkv", "attended": "attended", "inner": "wide", "outer": "narrow"}
LAYER_NORMS = {"attended_norm": "attended.normed", "outer_norm": "normed"}


def export(weights: Mapping[str, NDArray[np.float32]], out: Path, checks: Sequence[ReadingInput]) -> dict[str, float]:
    """Write `model.onnx` and `card.json` to `out`.

    Args:
        weights: The state of a `ReaderNetwork`.
        out: Made if it is not there.
        checks: Inputs over which the quantised graph is compared with the fp32 one.

    Returns:
        Mean and largest difference of the span logits, and the size in MB.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch, "full.onnx")
        onnx.save(make_reader_graph(weights), full)
        quantise(full, out / "model.onnx", keep=KEPT_FP32)
        gaps = _differences(full, out / "model.onnx", checks)
    stored = (out / "model.onnx").read_bytes()
    card = {
        "name": NAME,
        "licence": "Apache-2.0",
        "sha256": {"model.onnx": hashlib.sha256(stored).hexdigest()},
        "built_with": {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return {"mean": float(np.mean(gaps)), "largest": float(np.max(gaps)), "megabytes": len(stored) / 1e6}


def load_exported(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return the state of the `ReaderNetwork` that an exported graph holds; int8 weights as the graph reads them."""
    stored = {i.name: numpy_helper.to_array(i) for i in onnx.load(folder / "model.onnx").graph.initializer}

    def weight(name: str) -> NDArray[np.float32]:
        if name in stored:
            return stored[name]
        steps = stored[f"{name}_quantized"].astype(np.float32) - stored[f"{name}_zero_point"].astype(np.float32)
        scales: NDArray[np.float32] = stored[f"{name}_scale"]  # of a matrix product one for each column
        return steps * scales

    state = {f"{table}.weight": weight(f"{table}.table") for table in ("words", "segments", "marks")}
    state["positions.weight"] = weight("positions")
    state |= {f"embedded_norm.{kind}": weight(f"embedded.normed.{at}") for kind, at in NORM_NAMES.items()}
    for ours, theirs in {"span": "spans", "pooled": "pooled", "verdicts": "verdicts"}.items():
        state |= {f"{ours}.weight": weight(f"{theirs}.weight").T, f"{ours}.bias": weight(f"{theirs}.bias")}
    for layer in range(LAYERS):
        for ours, theirs in LAYER_PRODUCTS.items():
            state[f"layers.{layer}.{ours}.weight"] = weight(f"layer{layer}.{theirs}.weight").T
            state[f"layers.{layer}.{ours}.bias"] = weight(f"layer{layer}.{theirs}.bias")
        for ours, theirs in LAYER_NORMS.items():
            state |= {
                f"layers.{layer}.{ours}.{kind}": weight(f"layer{layer}.{theirs}.{at}")
                for kind, at in NORM_NAMES.items()
            }
    return {name: np.ascontiguousarray(values, np.float32) for name, values in state.items()}


def make_reader_graph(weights: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """Return the fp32 graph: `input_ids`, `segments`, `marks` (batch, tokens) to `spans` and `verdicts`.

    There is no mask: pairs are read one by one, never padded.
    """
    graph = GraphBuilder()
    x = _embed(graph, weights)
    for layer in range(LAYERS):
        x = transformer_layer(graph, x, f"layer{layer}", published_layer(weights, layer))
    spans = graph.linear(x, "spans", weights["span.weight"], weights["span.bias"])
    first = graph.node("Gather", [x, graph.weight("first", np.array([0], np.int64))], "first_row", axis=1)
    pooled = graph.linear(first, "pooled", weights["pooled.weight"], weights["pooled.bias"])
    active = graph.node("Tanh", [pooled], "pooled.active")
    verdicts = graph.linear(active, "verdicts", weights["verdicts.weight"], weights["verdicts.bias"])
    names = ("input_ids", "segments", "marks")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names]
    outputs = [
        helper.make_tensor_value_info(spans, TensorProto.FLOAT, ["batch", "tokens", 2]),
        helper.make_tensor_value_info(verdicts, TensorProto.FLOAT, ["batch", 1, 2]),
    ]
    body = helper.make_graph(graph.nodes, NAME, inputs, outputs, graph.weights)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=10, producer_name="byline")


def _embed(graph: GraphBuilder, weights: Mapping[str, NDArray[np.float32]]) -> str:
    tables = {"words": "input_ids", "segments": "segments", "marks": "marks"}
    rows = []
    for table, ids in tables.items():
        name = {"words": "word_rows", "segments": "segment_rows", "marks": "mark_rows"}[table]
        rows.append(graph.node("Gather", [graph.weight(f"{table}.table", weights[f"{table}.weight"]), ids], name))
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    zero = graph.weight("zero", np.array([0], np.int64))
    positions = graph.weight("positions", weights["positions.weight"])
    rows.append(graph.node("Slice", [positions, zero, length, zero], "position_rows"))
    x = rows[0]
    for place, row in enumerate(rows[1:]):
        x = graph.node("Add", [x, row], f"embedded.sum{place}")
    return graph.layer_norm(x, "embedded.normed", weights["embedded_norm.weight"], weights["embedded_norm.bias"])


def _differences(full: Path, quantised: Path, checks: Sequence[ReadingInput]) -> list[float]:
    sessions = [
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in (full, quantised)
    ]
    gaps = []
    for given in checks:
        feed = {"input_ids": given.ids[None], "segments": given.segments[None], "marks": given.marks[None]}
        ours, theirs = (session.run(["spans"], feed)[0][0] for session in sessions)
        gaps.append(float(np.abs(ours - theirs).mean()))
    return gaps
