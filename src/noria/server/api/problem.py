"""How the API says no: `{"error": {"code", "message", "param"}}`, with the status of the error tree."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from noria.errors import ConfigError, RequestError, UpstreamError, UserError


class ErrorBody(BaseModel):
    """`code` is stable; `message` is one sentence that says what to change; `param` names the field."""

    code: str
    message: str
    param: str | None = None


class Problem(BaseModel):
    """Every answer with a status of 400 or more."""

    error: ErrorBody


def problem(
    status: int, code: str, message: str, *, param: str | None = None, retry_after: float | None = None
) -> JSONResponse:
    """The answer that says what is wrong."""
    body = Problem(error=ErrorBody(code=code, message=message, param=param))
    headers = {} if retry_after is None else {"retry-after": str(max(1, round(retry_after)))}
    return JSONResponse(body.model_dump(), status, headers=headers)


def install(app: FastAPI) -> None:
    """Render the error tree, and what FastAPI itself refuses, in the one form."""

    @app.exception_handler(RequestError)
    def refused(request: Request, error: RequestError) -> JSONResponse:
        return problem(
            error.status, error.code, error.message, param=error.param, retry_after=error.retry_after
        )

    @app.exception_handler(ConfigError)
    def misconfigured(request: Request, error: ConfigError) -> JSONResponse:
        return problem(400, "config", str(error))

    @app.exception_handler(UserError)
    def wrong(request: Request, error: UserError) -> JSONResponse:
        return problem(409, "state", str(error))

    @app.exception_handler(UpstreamError)
    def upstream(request: Request, error: UpstreamError) -> JSONResponse:
        return problem(502, error.kind, error.message)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"][1:]) or None
        where = f"`{param}`: " if param else ""
        return problem(400, "invalid_request", f"{where}{first['msg']}.", param=param)

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
        message = {
            404: f"There is nothing at {request.url.path}.",
            405: f"{request.method} is not offered at {request.url.path}.",
        }.get(error.status_code, str(error.detail))
        return problem(error.status_code, code, message)

    _ = refused, misconfigured, wrong, upstream, invalid, plain
