"""The graph that is built is the network it claims to be, and quantising keeps its meaning."""

import math

import numpy as np
import onnx
import onnxruntime
import pytest

from index.models.build_encoder_onnx import DIM, HEADS, LAYERS, build_encoder, make_graph, quantise

VOCABULARY = 120  # the published one has 30,522 words; the graph does not care
IDS = np.array([[7, 3, 99, 3, 42, 119, 0, 15, 8]], dtype=np.int64)


@pytest.fixture(scope="module")
def weights():
    random = np.random.default_rng(5)

    def normal(*shape):
        return random.normal(scale=0.05, size=shape).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": normal(VOCABULARY, DIM) * 10,
        "embeddings.position_embeddings.weight": normal(512, DIM),
        "embeddings.token_type_embeddings.weight": normal(2, DIM),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}"
        shapes = {f"attention.self.{part}": (DIM, DIM) for part in ("query", "key", "value")}
        shapes |= {"attention.output.dense": (DIM, DIM), "intermediate.dense": (4 * DIM, DIM)}
        shapes |= {"output.dense": (DIM, 4 * DIM)}
        for name, shape in shapes.items():
            made[f"{prefix}.{name}.weight"] = normal(*shape)
            made[f"{prefix}.{name}.bias"] = normal(shape[0])
        norms += [f"{prefix}.attention.output.LayerNorm", f"{prefix}.output.LayerNorm"]
    for name in norms:
        made[f"{name}.weight"] = 1 + normal(DIM)
        made[f"{name}.bias"] = normal(DIM)
    return made


def _slow_forward(w, ids):
    """BERT as in Devlin et al. 2019, in plain NumPy."""

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    def heads(x):
        return x.reshape(len(x), HEADS, DIM // HEADS).transpose(1, 0, 2)

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    erf = np.vectorize(math.erf)
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        q, k, v = (heads(linear(x, f"{name}.attention.self.{part}")) for part in ("query", "key", "value"))
        scores = np.exp(q @ k.transpose(0, 2, 1) / math.sqrt(DIM / HEADS))
        seen = (scores / scores.sum(axis=-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(x), DIM)
        x = norm(linear(seen, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        wide = linear(x, f"{name}.intermediate.dense")
        active = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
        x = norm(linear(active, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")
    return x


def _run(path):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": IDS})[0][0]


def test_make_graph_computes_what_plain_numpy_does(weights, tmp_path):
    onnx.save(make_graph(weights), tmp_path / "full.onnx")
    assert np.allclose(_run(tmp_path / "full.onnx"), _slow_forward(weights, IDS[0]), atol=1e-3)


@pytest.mark.filterwarnings("ignore")  # onnx's own, about its internals
def test_quantise_keeps_the_direction_of_every_token(weights, tmp_path):
    onnx.save(make_graph(weights), tmp_path / "full.onnx")
    quantise(tmp_path / "full.onnx", tmp_path / "small.onnx")
    full, small = _run(tmp_path / "full.onnx"), _run(tmp_path / "small.onnx")
    cosines = (full * small).sum(axis=1) / np.linalg.norm(full, axis=1) / np.linalg.norm(small, axis=1)
    assert cosines.min() > 0.99
    sizes = [(tmp_path / name).stat().st_size for name in ("full.onnx", "small.onnx")]
    assert sizes[0] / sizes[1] > 3.5


def test_build_encoder_refuses_other_weights(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="sha256"):
        build_encoder(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
