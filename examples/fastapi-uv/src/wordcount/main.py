"""The routes, and the command that serves them."""

import os
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from .words import count

app = FastAPI(title="wordcount")


class Text(BaseModel):
    text: str = Field(max_length=100_000)


class Report(BaseModel):
    total: int
    words: dict[str, int]


def report(text: str) -> Report:
    words = count(text)
    return Report(total=words.total(), words=dict(words.most_common()))


@app.get("/health", response_class=PlainTextResponse)
def health() -> str:
    return "ok\n"


@app.get("/api/count")
def count_query(text: Annotated[str, Query(max_length=2_000)]) -> Report:
    return report(text)


@app.post("/api/count")
def count_body(body: Text) -> Report:
    return report(body.text)


def run() -> None:
    """Serves until it is told to stop."""
    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "8000")))
