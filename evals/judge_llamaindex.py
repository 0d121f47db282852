"""A language model as judge, by LlamaIndex's evaluators; its opinions are kept apart from what is measured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llama_index.core.evaluation import FaithfulnessEvaluator, RelevancyEvaluator
from llama_index.core.llms import LLM

from corpus.errors import SettingsError
from evals.measures.statistics import summarise
from evals.rows import Row

OUTPUT = "judge.json"  # beside the rows of a run, never in its summary


def load_llm(name: str | None) -> LLM | None:
    """Return the model that `module:function` gives; None for None.

    Raises:
        SettingsError: If it gives no LlamaIndex LLM.
    """
    if name is None:
        return None
    from evals.system_callable import load_object

    made = load_object(name)
    llm = made() if callable(made) and not isinstance(made, LLM) else made
    if not isinstance(llm, LLM):
        raise SettingsError(f"{name!r} gives no LlamaIndex LLM but {type(llm).__name__}.")
    return llm


def judge_run(folder: Path, rows: Sequence[Row], llm: LLM, on_question: Callable[[], None]) -> dict[str, object]:
    """Ask the model of every answered question whether its citations carry it and whether it is to the point.

    Writes `judge.json` into the run's folder: the model's name, shares with intervals, each verdict with its reason.
    A verdict that the model did not give in the form asked for counts as no.
    """
    evaluators: dict[str, Any] = {
        "Judged faithful": FaithfulnessEvaluator(llm=llm),
        "Judged relevant": RelevancyEvaluator(llm=llm),
    }
    verdicts = asyncio.run(_ask(evaluators, rows, on_question))  # `evaluate` would leave its event loop open
    passing = {
        name: {row_id: float(bool(each[name]["passing"])) for row_id, each in verdicts.items()} for name in evaluators
    }
    judged: dict[str, object] = {
        "judge": llm.metadata.model_name,
        "scores": [summarise(name, by_id).to_dict() for name, by_id in passing.items() if by_id],
        "verdicts": verdicts,
    }
    (folder / OUTPUT).write_text(json.dumps(judged, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return judged


async def _ask(
    evaluators: Mapping[str, Any], rows: Sequence[Row], on_question: Callable[[], None]
) -> dict[str, dict[str, dict[str, object]]]:
    verdicts: dict[str, dict[str, dict[str, object]]] = {}
    for row in rows:
        if row.reply is not None and row.reply.answered:
            given = {
                "query": row.question,
                "response": row.reply.text,
                "contexts": [citation.quote for citation in row.reply.citations],
            }
            for name, evaluator in evaluators.items():
                found = await evaluator.aevaluate(**given)
                verdict = {"passing": bool(found.passing), "feedback": found.feedback}
                verdicts.setdefault(row.id, {})[name] = verdict
        on_question()
    return verdicts
