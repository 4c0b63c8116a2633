"""Recalling: by a query, by many, with scores, with terms, in a context."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from somafractalmemory.errors import InvalidRequest
from somafractalmemory.httpface.guard import BodyReader, GuardedRoute, JsonResponse, needs
from somafractalmemory.httpface.routes.describing import PROBLEMS, namespace_of, runtime_of, takes
from somafractalmemory.model import Recalled
from somafractalmemory.model.wording import Mode, Term, candidate_terms, term_of
from somafractalmemory.schemas.recall import (
    ContextRequest,
    ExplainRequest,
    HybridScoredRequest,
    RecallBatchRequest,
    RecallBatchResponse,
    RecallRequest,
    RecallResponse,
    ResultsResponse,
    ScoredRequest,
    ScoredResponse,
)
from somafractalmemory.security.callers import Scope
from somafractalmemory.usecases.recalling import Question

router = APIRouter(route_class=GuardedRoute, responses=PROBLEMS, tags=["memories"])
read_recall = BodyReader(RecallRequest)
read_batch = BodyReader(RecallBatchRequest)
read_scored = BodyReader(ScoredRequest)
read_hybrid = BodyReader(HybridScoredRequest)
read_context = BodyReader(ContextRequest)
read_explain = BodyReader(ExplainRequest)
Worded = ScoredRequest | HybridScoredRequest | ExplainRequest
Body = RecallRequest | RecallBatchRequest | ContextRequest | Worded
_BOOST = 2.0
_FLAGS = {"true": True, "false": False}


@router.post("/recall", response_model=RecallResponse, **takes(RecallRequest))
@needs(Scope.READ)
async def recall(request: Request) -> Response:
    """Recall the memories that fit a query best."""
    return await _recall(request, await read_recall(request))


@router.get("/recall", response_model=RecallResponse, openapi_extra={"parameters": []})
async def recall_by_query_string(request: Request) -> Response:
    """Recall with everything in the query string; `filters` is JSON text."""
    return await _recall(request, RecallRequest.model_validate(_query_string(request.query_params)))


@router.post("/recall_batch", response_model=RecallBatchResponse, **takes(RecallBatchRequest))
@needs(Scope.READ)
async def recall_batch(request: Request) -> Response:
    """Recall for many queries at once, under the same conditions."""
    body = await read_batch(request)
    questions = [_question(request, body, query, hybrid=body.hybrid) for query in body.queries]
    answers = await runtime_of(request).service.recall_many(questions)
    return _answer({"batches": [_memories(recalled) for recalled in answers]}, answers)


@router.post("/recall_with_scores", response_model=ScoredResponse, **takes(ScoredRequest))
@needs(Scope.READ)
async def recall_with_scores(request: Request) -> Response:
    """Recall, with each memory's score."""
    body = await read_scored(request)
    terms = _terms(None, body) if body.hybrid else ()
    question = _question(request, body, body.query, hybrid=body.hybrid, terms=terms, boost=_BOOST)
    return await _scored(request, question, explain=body.explain)


@router.post("/hybrid_recall_with_scores", response_model=ScoredResponse, **takes(HybridScoredRequest))
@needs(Scope.READ)
async def hybrid_recall_with_scores(request: Request) -> Response:
    """Recall by meaning and by terms, with each memory's score."""
    body = await read_hybrid(request)
    question = _question(request, body, body.query, hybrid=True, terms=_terms(body.terms, body), boost=body.boost)
    return await _scored(request, question, explain=body.explain)


@router.post("/recall_with_context", response_model=ResultsResponse, **takes(ContextRequest))
@needs(Scope.READ)
async def recall_with_context(request: Request) -> Response:
    """Recall what fits the query; of that, what fits the context too comes first."""
    body = await read_context(request)
    question = _question(request, body, body.query, hybrid=None, context=body.context)
    recalled = await runtime_of(request).service.recall(question)
    return _answer({"results": _memories(recalled)}, [recalled])


@router.post("/explain", response_model=ScoredResponse, **takes(ExplainRequest))
@needs(Scope.READ)
async def explain(request: Request) -> Response:
    """Recall in any form, with the parts that add up to each score."""
    body = await read_explain(request)
    question = _question(
        request,
        body,
        body.query,
        hybrid=body.hybrid,
        terms=_terms(body.terms, body),
        boost=body.boost,
        context=body.context or {},
    )
    return await _scored(request, question, explain=True)


async def _recall(request: Request, body: RecallRequest) -> Response:
    recalled = await runtime_of(request).service.recall(_question(request, body, body.query, hybrid=body.hybrid))
    answer: dict[str, Any] = {"matches": _memories(recalled)}
    if body.explain:
        answer["explanations"] = [{"score": match.score, "parts": match.parts} for match in recalled.matches]
    return _answer(answer, [recalled])


async def _scored(request: Request, question: Question, *, explain: bool) -> Response:
    recalled = await runtime_of(request).service.recall(question)
    results: list[dict[str, Any]] = [
        {"payload": match.memory.flattened(), "score": match.score} | ({"parts": match.parts} if explain else {})
        for match in recalled.matches
    ]
    return _answer({"results": results}, [recalled])


def _question(request: Request, body: Body, query: str, *, hybrid: bool | None, **more: Any) -> Question:
    settings = runtime_of(request).settings
    return Question(
        namespace=namespace_of(request),
        query=query,
        top_k=body.top_k,
        memory_type=body.type,
        filters=body.filters or {},
        hybrid=settings.hybrid_recall_default if hybrid is None else hybrid,
        **more,
    )


def _terms(given: Sequence[str] | None, body: Worded) -> list[Term]:
    mode = Mode.PHRASE if body.exact else Mode.SUBSTRING
    texts = candidate_terms(body.query) if given is None else given
    return [
        term_of(text, mode, case_sensitive=body.case_sensitive, loc=("terms", number))
        for number, text in enumerate(texts)
    ]


def _memories(recalled: Recalled) -> list[dict[str, Any]]:
    return [match.memory.flattened() for match in recalled.matches]


def _answer(content: dict[str, Any], answers: Sequence[Recalled]) -> Response:
    if degraded := sorted({store for recalled in answers for store in recalled.degraded}):
        content["degraded"] = degraded
    return JsonResponse(content)


def _query_string(parameters: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = dict(parameters)
    if "filters" in values:
        try:
            values["filters"] = orjson.loads(values["filters"])
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"filters is not valid JSON: {error}", loc=("query", "filters")) from None
    for name in values.keys() & {"hybrid", "explain"}:
        values[name] = _FLAGS.get(values[name], values[name])
    if parameters.get("top_k", "").isdecimal() and len(parameters["top_k"]) < 10:
        values["top_k"] = int(parameters["top_k"])
    return values
