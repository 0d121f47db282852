"""The reader's network in PyTorch: one MiniLM encoder over (question, passage), four heads on it.

The encoder is BERT's (Devlin et al., 2019) with the published weights of all-MiniLM-L6-v2. Two things are added to
its input. Every word piece carries a *mark* (`qa.reading_input`): how the word is written, which the lower-case
vocabulary forgets, and whether the other text holds the same word stem (the exact-match feature of Chen et al.,
"Reading Wikipedia to Answer Open-Domain Questions", 2017). The rows of the marks' table start at zero, so training
starts from the published network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from qa.reading_input import N_MARKS

LAYERS, HEADS, DIM, INNER, VOCABULARY, POSITIONS = 6, 12, 384, 1536, 30522, 512
DROPOUT = 0.1


def drop_channels(x: Tensor, training: bool) -> Tensor:
    """Drop the same channels of all of a text's word pieces (Gal and Ghahramani, 2016).

    Drawing a number for every single value, as plain dropout does, takes a CPU longer than the layer itself; so does
    dropout inside attention, which also keeps PyTorch from its fast kernel. Neither is used.
    """
    if not training:
        return x
    kept = torch.rand(x.shape[0], 1, x.shape[2]) >= DROPOUT
    return x * (kept.to(x.dtype) / (1.0 - DROPOUT))


class Layer(nn.Module):
    """One transformer layer, normalised after each half, as BERT does."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(DIM, 3 * DIM)
        self.attended = nn.Linear(DIM, DIM)
        self.attended_norm = nn.LayerNorm(DIM, eps=1e-12)
        self.inner = nn.Linear(DIM, INNER)
        self.outer = nn.Linear(INNER, DIM)
        self.outer_norm = nn.LayerNorm(DIM, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return x after the layer, shape (batch, tokens, DIM); `mask` is additive, (batch, 1, 1, tokens)."""
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype))
        seen = self.attended(seen.transpose(1, 2).reshape(batch, tokens, DIM))
        x = self.attended_norm(x + drop_channels(seen, self.training))
        inner = self.outer(functional.gelu(self.inner(x)))
        return self.outer_norm(x + drop_channels(inner, self.training))


class ReaderNetwork(nn.Module):
    """(question, passage) -> span logits, answerability logit, support logit."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, DIM)
        self.positions = nn.Embedding(POSITIONS, DIM)
        self.segments = nn.Embedding(2, DIM)
        self.marks = nn.Embedding(N_MARKS, DIM)
        self.embedded_norm = nn.LayerNorm(DIM, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.span = nn.Linear(DIM, 2)
        self.pooled = nn.Linear(DIM, DIM)
        self.verdicts = nn.Linear(DIM, 2)  # answerable, supported
        nn.init.zeros_(self.marks.weight)
        for head in (self.span, self.pooled, self.verdicts):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, ids: Tensor, segments: Tensor, marks: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score a padded batch.

        Args:
            ids: int64, (batch, tokens), question then passage.
            segments: int64, 0 for the question, 1 for the passage.
            marks: int64, 0 to N_MARKS - 1.
            mask: bool, True for real word pieces.

        Returns:
            Span logits, (batch, tokens, 2), start and end; verdict logits, (batch, 2), answerable and supported.
        """
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.words(ids) + self.positions(places) + self.segments(segments) + self.marks(marks)
        x = drop_channels(self.embedded_norm(x), self.training)
        additive = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(~mask, -math.inf)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, additive)
        pooled = torch.tanh(self.pooled(x[:, 0]))
        return self.span(x), self.verdicts(functional.dropout(pooled, DROPOUT, self.training))


def load_published(path: Path) -> ReaderNetwork:
    """Return a network that starts from the published encoder weights (safetensors, fp32)."""
    stored = load_file(path)
    network = ReaderNetwork()
    own = network.state_dict()
    for name, source in _published_names().items():
        own[name] = torch.cat([stored[part] for part in source])
    network.load_state_dict(own)
    return network


def published_layer(weights: Mapping[str, NDArray[np.float32]], layer: int) -> dict[str, NDArray[np.float32]]:
    """Return one layer's weights by their published names within the layer, as the graph builder takes them."""
    own: dict[str, NDArray[np.float32]] = {}
    for name, published in _published_names().items():
        if name.startswith(f"layers.{layer}."):
            shorts = [theirs.removeprefix(f"encoder.layer.{layer}.") for theirs in published]
            own |= zip(shorts, np.split(weights[name], len(shorts)), strict=True)
    return own


def _published_names() -> dict[str, list[str]]:
    """Return our parameter name -> the published one, or the three that are joined into it."""
    names = {
        "words.weight": ["embeddings.word_embeddings.weight"],
        "positions.weight": ["embeddings.position_embeddings.weight"],
        "segments.weight": ["embeddings.token_type_embeddings.weight"],
        "embedded_norm.weight": ["embeddings.LayerNorm.weight"],
        "embedded_norm.bias": ["embeddings.LayerNorm.bias"],
    }
    parts = {
        "attended": "attention.output.dense",
        "attended_norm": "attention.output.LayerNorm",
        "inner": "intermediate.dense",
        "outer": "output.dense",
        "outer_norm": "output.LayerNorm",
    }
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}"
        for kind in ("weight", "bias"):
            attention = [f"{prefix}.attention.self.{part}.{kind}" for part in ("query", "key", "value")]
            names[f"layers.{layer}.qkv.{kind}"] = attention
            for ours, theirs in parts.items():
                names[f"layers.{layer}.{ours}.{kind}"] = [f"{prefix}.{theirs}.{kind}"]
    return names
