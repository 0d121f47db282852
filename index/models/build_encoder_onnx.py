"""Build the embedded encoder: all-MiniLM-L6-v2 from its official safetensors to a quantised ONNX graph.

```
python -m index.models.build_encoder_onnx WHEEL_OR_FOLDER [OUT_FOLDER]     # needs the [train] extra, no torch
```

Takes an unpacked model folder (with `model.safetensors` and `tokenizer.json`) or a wheel that holds one, refuses
weights other than the published ones, and writes `model.onnx`, `tokenizer.json` and `card.json`. The graph takes
`input_ids` and gives `token_vectors`, the last hidden state: the embedder pools them, late interaction uses them raw.
There is no attention mask, because texts are embedded one by one and never padded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]
from safetensors.numpy import load as load_safetensors

SOURCE = "sentence-transformers/all-MiniLM-L6-v2"
NAME = "minilm-l6-int8"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
LAYERS, HEADS, DIM = 6, 12, 384
MAX_WORD_PIECES = 256  # what the published model was trained to read
OPSET = 20  # first with Gelu as one operator
CHECK_TEXTS = (
    "Who told the paper that the deal had been agreed?",
    "Profits rose 12% to $3.4 billion in the third quarter, the company said on Tuesday, beating analysts' forecasts.",
    "The bridge, completed in 1894, crosses the river near the old fortress and is opened about 800 times a year.",
    "Patients given the drug showed lower levels of the protein than controls (p < 0.05) after twelve weeks.",
    "Storm warnings | Example Times | 2023-11-02\nHeavy rain and winds of up to 90 mph are expected, schools close.",
)
MIN_COSINE = 0.990  # of any check text to fp32; below it the quantiser has changed and the model must not ship

Weights = dict[str, NDArray[np.float32]]


class GraphBuilder:
    """Collects nodes and weights of one ONNX graph; every value is named after what it holds."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: NDArray[np.generic]) -> str:
        """Add a constant and return its name."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:  # noqa: ANN401  (what ONNX allows)
        """Add a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def linear(self, x: str, name: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """Add x @ weight.T + bias, as torch stores linear layers."""
        product = self.node("MatMul", [x, self.weight(f"{name}.weight", weight.T)], f"{name}.product")
        return self.node("Add", [product, self.weight(f"{name}.bias", bias)], name)

    def layer_norm(self, x: str, name: str, scale: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """Add a layer normalisation over the last axis."""
        inputs = [x, self.weight(f"{name}.scale", scale), self.weight(f"{name}.bias", bias)]
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=1e-12)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build from the command line; exit 1 when the weights are not the published ones."""
    parser = argparse.ArgumentParser(description="Build the embedded encoder from the published weights.")
    parser.add_argument("source", type=Path, help="unpacked model folder, or a wheel that holds one")
    parser.add_argument("out", type=Path, nargs="?", default=Path(__file__).parent / NAME)
    options = parser.parse_args(arguments)
    try:
        cosines = build_encoder(options.source, options.out)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stderr.write(f"{options.out}: cosine to fp32 {np.mean(cosines):.4f} (lowest {min(cosines):.4f})\n")
    return 0


def build_encoder(source: Path, out: Path) -> list[float]:
    """Write `model.onnx`, `tokenizer.json` and `card.json` to `out`.

    Returns:
        Cosine of each check text's sentence vector to the unquantised graph's.

    Raises:
        ValueError: If weights or tokenizer are not the published ones, or quantising lost too much.
    """
    weights = load_weights(source)
    tokenizer = _read_checked(source, "tokenizer.json", TOKENIZER_SHA256)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch, "full.onnx")
        onnx.save(make_graph(weights), full)
        quantise(full, out / "model.onnx")
        cosines = _cosines(full, out / "model.onnx", tokenizer)
    if min(cosines) < MIN_COSINE:
        raise ValueError(f"Quantising lost too much: cosines to fp32 are {cosines}. Look at `quantise`.")
    (out / "tokenizer.json").write_bytes(tokenizer)
    (out / "card.json").write_text(json.dumps(_card(out), indent=2) + "\n", encoding="utf-8")
    return cosines


def load_weights(source: Path) -> Weights:
    """Return the published weights by name.

    Raises:
        ValueError: If the file is another.
    """
    weights: Weights = load_safetensors(_read_checked(source, "model.safetensors", WEIGHTS_SHA256))
    return weights


def make_graph(weights: Weights) -> onnx.ModelProto:
    """Return the fp32 graph, `input_ids` (batch, tokens) to `token_vectors` (batch, tokens, 384)."""
    graph = GraphBuilder()
    x = _embed_tokens(graph, weights)
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        x = transformer_layer(graph, x, f"layer{layer}", own)
    graph.node("Identity", [x], "token_vectors")
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    vectors = helper.make_tensor_value_info("token_vectors", TensorProto.FLOAT, ["batch", "tokens", DIM])
    body = helper.make_graph(graph.nodes, NAME, [ids], [vectors], graph.weights)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(body, opset_imports=opsets, ir_version=10, producer_name="byline")


def quantise(full: Path, quantised: Path, *, keep: Sequence[str] = ()) -> None:
    """Write the graph with int8 weights, one scale per output channel (one per tensor: cosine 0.944, not 0.995).

    The attention output is the one product whose int8 pairs often exceed 16 bits, which processors without VNNI
    saturate at (AVX2: 1.4e-5 of all pairs, 6e-8 once it is left out). Its weights get 7 bits, so that the same text
    gives nearly the same vector on an older processor; that costs 0.0001 of cosine here.

    Args:
        full: The fp32 graph.
        quantised: Where the int8 graph goes.
        keep: Names of nodes whose weights stay fp32.
    """
    nodes = onnx.load(full, load_external_data=False).graph.node
    attention_out = [node.name for node in nodes if node.name.endswith("attended.product")]
    float_outputs = {"DefaultTensorType": TensorProto.FLOAT}  # ONNX cannot infer what MultiHeadAttention gives

    def step(source: Path, target: Path, *, only: list[str] | None, reduce_range: bool) -> None:
        quantize_dynamic(
            source,
            target,
            per_channel=True,
            reduce_range=reduce_range,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=only,
            nodes_to_exclude=list(keep),
            extra_options=float_outputs,
        )

    half = full.with_name("half.onnx")
    step(full, half, only=attention_out, reduce_range=True)
    step(half, quantised, only=None, reduce_range=False)


def _embed_tokens(graph: GraphBuilder, weights: Weights) -> str:
    # Every text is one segment, so the first token-type row is a constant that positions can carry.
    first_type = weights["embeddings.token_type_embeddings.weight"][0]
    positions = weights["embeddings.position_embeddings.weight"][:MAX_WORD_PIECES] + first_type
    words = graph.weight("words", weights["embeddings.word_embeddings.weight"])
    word_rows = graph.node("Gather", [words, "input_ids"], "word_rows")
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    zero = graph.weight("zero", np.array([0], np.int64))
    position_rows = graph.node("Slice", [graph.weight("positions", positions), zero, length, zero], "position_rows")
    x = graph.node("Add", [word_rows, position_rows], "embedded")
    scale, bias = weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"]
    return graph.layer_norm(x, "embedded.normed", scale, bias)


def transformer_layer(graph: GraphBuilder, x: str, name: str, own: Weights) -> str:
    """Add one transformer layer; `own` holds its weights by their published names within the layer."""
    parts = [f"attention.self.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([own[f"{part}.weight"] for part in parts])
    bias = np.concatenate([own[f"{part}.bias"] for part in parts])
    merged = graph.linear(x, f"{name}.qkv", weight, bias)  # one product of width 1152 instead of three of 384
    split = [f"{name}.{part}" for part in ("q", "k", "v")]
    sizes = graph.weight(f"{name}.sizes", np.array([DIM] * 3, np.int64))
    graph.nodes.append(helper.make_node("Split", [merged, sizes], split, name=f"{name}.split", axis=-1))
    # onnxruntime's own operator: plain ONNX attention was 5 % slower and took twice as long to load.
    scale = 1.0 / math.sqrt(DIM / HEADS)
    seen = graph.node("MultiHeadAttention", split, f"{name}.seen", domain="com.microsoft", num_heads=HEADS, scale=scale)
    attended = graph.linear(
        seen, f"{name}.attended", own["attention.output.dense.weight"], own["attention.output.dense.bias"]
    )
    x = graph.node("Add", [attended, x], f"{name}.attended.sum")
    scale_bias = own["attention.output.LayerNorm.weight"], own["attention.output.LayerNorm.bias"]
    x = graph.layer_norm(x, f"{name}.attended.normed", *scale_bias)
    wide = graph.linear(x, f"{name}.wide", own["intermediate.dense.weight"], own["intermediate.dense.bias"])
    active = graph.node("Gelu", [wide], f"{name}.active")
    narrow = graph.linear(active, f"{name}.narrow", own["output.dense.weight"], own["output.dense.bias"])
    x = graph.node("Add", [narrow, x], f"{name}.sum")
    return graph.layer_norm(x, f"{name}.normed", own["output.LayerNorm.weight"], own["output.LayerNorm.bias"])


def _read_checked(source: Path, name: str, sha256: str) -> bytes:
    if source.is_dir():
        content = (source / name).read_bytes()
    else:
        with zipfile.ZipFile(source) as wheel:
            members = [member for member in wheel.namelist() if member.endswith(f"/{name}")]
            if len(members) != 1:
                raise ValueError(f"{source} holds {len(members)} files named {name!r}; it must hold one.")
            content = wheel.read(members[0])
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{name} of {source} has sha256 {found}, not the published {sha256}.")
    return content


def _cosines(full: Path, quantised: Path, tokenizer: bytes) -> list[float]:
    from tokenizers import Tokenizer

    tokens = Tokenizer.from_buffer(tokenizer)
    tokens.no_padding()
    tokens.enable_truncation(MAX_WORD_PIECES)
    sessions = [
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in (full, quantised)
    ]
    cosines = []
    for text in CHECK_TEXTS:
        ids = np.array([tokens.encode(text).ids], np.int64)
        a, b = (session.run(None, {"input_ids": ids})[0][0].mean(axis=0) for session in sessions)
        cosines.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
    return cosines


def _card(folder: Path) -> dict[str, object]:
    return {
        "name": NAME,
        "source": SOURCE,
        "licence": "Apache-2.0",
        "dim": DIM,
        "max_word_pieces": MAX_WORD_PIECES,
        "pooling": "mean",
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.onnx", "tokenizer.json")
        },
        "built_from_sha256": {"model.safetensors": WEIGHTS_SHA256, "tokenizer.json": TOKENIZER_SHA256},
        "built_with": {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    }


if __name__ == "__main__":
    sys.exit(main())
