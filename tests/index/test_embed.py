"""One contract for every embedder, and what is particular to the embedded encoder."""

import json
import shutil

import numpy as np
import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding

from corpus.errors import IndexingError, SettingsError
from index.embed_llama import LlamaIndexEmbedder
from index.embed_onnx import EMBEDDED, OnnxEmbedder, embedded_encoder
from tests.fakes import FakeEmbedder

TEXTS = [
    "The ferry to the island was cancelled because of the storm.",
    "Profits rose 12% in the third quarter.",
    "",
    "Ferries were cancelled.\n\nThe storm was expected to pass by noon. " * 40,
]


class LetterEmbedding(BaseEmbedding):
    """Counts letters; rows are far from unit length, as some servers' are."""

    width: int = 26

    def _get_text_embedding(self, text: str) -> list[float]:
        return [text.lower().count(letter) + 0.5 for letter in "abcdefghijklmnopqrstuvwxyz"][: self.width]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


@pytest.fixture(scope="module")
def encoder():
    return embedded_encoder(threads=2)


@pytest.fixture(scope="module", params=["fake", "onnx", "llama"])
def embedder(request, encoder):
    return {"fake": FakeEmbedder(), "onnx": encoder, "llama": LlamaIndexEmbedder(LetterEmbedding())}[request.param]


def test_embed_passages_gives_unit_float32_rows_in_order(embedder):
    rows = embedder.embed_passages(TEXTS)
    assert rows.shape == (len(TEXTS), embedder.dim)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    assert np.array_equal(rows[::-1], embedder.embed_passages(TEXTS[::-1]))


def test_embed_passages_of_nothing_is_an_empty_table(embedder):
    assert embedder.embed_passages([]).shape == (0, embedder.dim)


def test_embed_passages_gives_a_text_the_same_bits_whatever_its_neighbours(embedder):
    together = embedder.embed_passages(TEXTS * 3)
    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS])
    assert np.array_equal(together, np.concatenate([alone] * 3))


def test_embed_question_gives_one_unit_row_near_its_answer(embedder):
    question = embedder.embed_question("Was the ferry to the island cancelled?")
    assert question.shape == (embedder.dim,)
    assert question.dtype == np.float32
    cosines = embedder.embed_passages(TEXTS[:2]) @ question
    assert cosines[0] > cosines[1]


def test_fingerprint_ends_in_the_dimension_and_stays(embedder):
    assert embedder.fingerprint.endswith(f":{embedder.dim}")
    assert embedder.fingerprint == embedder.fingerprint


def test_embedded_encoder_gives_the_published_similarities(encoder):
    # The three sentences and cosines of the sentence-transformers quick start for all-MiniLM-L6-v2.
    rows = encoder.embed_passages(
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    )
    cosines = rows @ rows.T
    assert cosines[0, 1] == pytest.approx(0.6660, abs=0.02)
    assert cosines[0, 2] == pytest.approx(0.1046, abs=0.02)
    assert cosines[1, 2] == pytest.approx(0.1411, abs=0.02)


def test_embedded_encoder_reads_256_word_pieces_and_no_more(encoder):
    words = "storm " * 254
    assert len(encoder.embed_tokens(words)) == 256
    assert np.array_equal(encoder.embed_question(words), encoder.embed_question(words + "ferry island profit"))


@pytest.mark.parametrize(
    "text", ["\ud800 torn", "\x00", "‮ right to left", "🙂" * 500], ids=["surrogate", "nul", "bidi", "emoji"]
)
def test_embedded_encoder_survives_hostile_text(encoder, text):
    assert np.isfinite(encoder.embed_question(text)).all()


def test_onnx_embedder_refuses_a_changed_model_file(tmp_path):
    shutil.copytree(EMBEDDED, tmp_path / "model")
    with (tmp_path / "model" / "model.onnx").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\x00\x01\x02\x03")
    with pytest.raises(SettingsError, match="damaged"):
        OnnxEmbedder(tmp_path / "model").embed_question("Who?")


def test_onnx_embedder_names_what_a_folder_lacks(tmp_path):
    with pytest.raises(SettingsError, match=r"model\.onnx"):
        OnnxEmbedder(tmp_path)


def test_onnx_embedder_reads_a_folder_exported_by_others(tmp_path, encoder):
    for name in ("model.onnx", "tokenizer.json"):
        shutil.copy(EMBEDDED / name, tmp_path / name)
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 384}))
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 256}))
    prompts = {"query": "", "document": "ferry: "}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    foreign = OnnxEmbedder(tmp_path)
    assert foreign.fingerprint.split(":")[1] == encoder.fingerprint.split(":")[1]
    assert np.array_equal(foreign.embed_question(TEXTS[0]), encoder.embed_question(TEXTS[0]))
    assert np.array_equal(foreign.embed_passages(["x"])[0], encoder.embed_question("ferry: x"))


def test_onnx_embedder_pools_by_the_first_token_when_the_folder_says_so(tmp_path, encoder):
    shutil.copytree(EMBEDDED, tmp_path, dirs_exist_ok=True)
    card = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(card | {"pooling": "cls"}))
    first = encoder.embed_tokens(TEXTS[0])[0]
    assert np.allclose(OnnxEmbedder(tmp_path).embed_question(TEXTS[0]), first / np.linalg.norm(first))


@pytest.mark.parametrize("width", [0, 13], ids=["empty", "narrow"])
def test_llama_embedder_refuses_a_width_that_changes(width):
    embedding = LetterEmbedding()
    embedder = LlamaIndexEmbedder(embedding)
    assert embedder.dim == 26
    embedding.width = width
    with pytest.raises(IndexingError, match="width"):
        embedder.embed_passages(["x"])


def test_onnx_embedder_opens_the_model_only_for_the_first_text(tmp_path, encoder):
    shutil.copy(EMBEDDED / "card.json", tmp_path)
    unread = OnnxEmbedder(tmp_path)
    assert (unread.fingerprint, unread.dim) == (encoder.fingerprint, encoder.dim)
    with pytest.raises(SettingsError, match="missing"):
        unread.embed_question("Who?")
