"""The endpoints: a ranking, the server's health, and its metrics."""

import time
from collections.abc import Mapping

import msgspec
import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from lakehouse.serving.asked import Asked, RefusedError, Token, understood, whole
from lakehouse.serving.champion import Champion, Loaded
from lakehouse.serving.metrics import Metrics

log = structlog.get_logger()


def make_app(champion: Champion, token: Token, metrics: Metrics) -> FastAPI:
    """The application: ``POST /rank``, ``GET /health``, ``GET /metrics``."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    # The ranking is computed where requests are taken in: handing it to a thread takes a quarter more of the processor.
    @app.post("/rank")
    async def rank(request: Request) -> Response:
        began = time.perf_counter()
        answer = await _answer(request, champion, token)
        metrics.answered(answer.status_code, time.perf_counter() - began)
        return answer

    @app.get("/health")
    async def health() -> Response:
        return _health(champion)

    @app.get("/metrics")
    async def counted() -> Response:
        return Response(metrics.text(), headers={"Content-Type": metrics.media_type})

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        found = f"{request.method} {request.url.path}: {error.detail}"
        return _json(
            error.status_code, {"error": f"{found}; expected POST /rank, GET /health or GET /metrics"}, error.headers
        )

    return app


async def _answer(request: Request, champion: Champion, token: Token) -> Response:
    try:
        token.check(request.headers.get("authorization"))
        asked = understood(await whole(request.stream(), request.headers.get("content-length")))
        if (now := champion.now) is None:
            raise RefusedError(503, _why_none(champion))
        return _json(200, _ranking(champion.model, now, asked))
    except RefusedError as refusal:
        headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else None
        return _json(refusal.status, {"error": refusal.why}, headers)
    except ClientDisconnect:
        return _json(400, {"error": "the request ended before its body did"})  # nobody reads it, but it is counted
    except Exception as error:  # a ranker's fault: told in the log, and not to who asked
        log.error("ranking failed", model=champion.model, exc_info=error)
        return _json(500, {"error": "ranking failed; the server's log says why"})


def _ranking(model: str, now: Loaded, asked: Asked) -> Mapping[str, object]:
    ordered = now.ranks.order(asked.customer, asked.candidates)
    return {
        "model": model,
        "version": now.version.number,
        "as_of": now.as_of,
        "ranking": [{"candidate": candidate, "score": float(score)} for candidate, score in ordered],
    }


def _health(champion: Champion) -> Response:
    now, trouble = champion.now, champion.trouble
    told = {"reload_error": trouble} if trouble else {}
    if now is None:
        return _json(503, {"status": "unavailable", "model": champion.model, "error": _why_none(champion), **told})
    version = {"version": now.version.number, "as_of": now.as_of, "loaded_at": now.loaded_at}
    return _json(200, {"status": "ok", "model": champion.model, **version, **told})


def _why_none(champion: Champion) -> str:
    if champion.trouble:
        return f"no version of model {champion.model} is in use: loading its champion failed, and is tried again"
    return (
        f"model {champion.model} has no champion yet; expected one that `lakehouse run --models` trained and promoted"
    )


def _json(status: int, content: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")
