"""The FastAPI application, put together."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute

from noria.runtime.control import Control
from noria.server.api import (
    accounts,
    alerts,
    approvals,
    audit,
    budgets,
    config,
    curation,
    dataset_examples,
    dataset_files,
    datasets,
    evals,
    explorations,
    feedback,
    feedback_v1,
    health,
    jobs,
    judges,
    keys,
    models,
    monitors,
    oidc,
    optimizations,
    playground,
    problem,
    prompt_labels,
    prompts,
    queues,
    reviews,
    scorers,
    session,
    static,
    studies,
    suites,
    traces,
)  # fmt: skip
from noria.server.api.door import Door
from noria.server.api.relay import Relay

ROUTERS = (
    session, oidc, accounts, traces, feedback, feedback_v1, models, jobs, keys, budgets, config, audit,
    approvals, queues, reviews, playground, prompts, prompt_labels, evals, suites, studies, judges, scorers,
    optimizations, explorations, datasets, dataset_examples, dataset_files, curation,
    monitors, alerts,
    health,
)  # fmt: skip


def surface() -> FastAPI:
    """The routes alone, without what they call: for the OpenAPI document."""
    app = FastAPI(
        title="Noria",
        version="1",
        description="The control process's API.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        generate_unique_id_function=_operation,
        responses={
            "4XX": {"model": problem.Problem, "description": "Refused; the message says what to change."}
        },
    )
    for module in ROUTERS:
        app.include_router(module.router)
    return app


def build(control: Control) -> Door:
    """The application that answers for `control`."""
    app = surface()
    app.state.control = control
    problem.install(app)
    app.state.relay = Relay()
    static.mount(app)
    return Door(app, control)


def _operation(route: APIRoute) -> str:
    return route.name
