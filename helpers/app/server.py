"""The API and the page's files. A session's token travels in the header ``X-Session``, not in a cookie: no other site can send it along,
and the page works in a frame and behind a proxy that gives it another path."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from helpers.app.guard import Guard
from helpers.app.room import Room
from helpers.app.sessions import Session
from helpers.app.settings import WORDS_MOST, Settings
from helpers.app.words import PAGE, Refused, say

FILES = {
    "": ("index.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "room.js": ("room.js", "text/javascript"),
    "ask.js": ("ask.js", "text/javascript"),
    "stage.js": ("stage.js", "text/javascript"),
    "en.json": ("en.json", "application/json"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
"""What the page is made of: address -> file in ``page/`` and its type. Nothing else is served from there."""
_UPLOAD = 60.0  # seconds in which a file has to arrive
_LONGEST_WAIT = 20.0  # seconds that somebody may wait for news of a job
_BYTES = {"schema": {"type": "string", "format": "binary"}}
Category = Literal["upper", "lower", "dress"]
Seed = Annotated[int, Field(ge=0, lt=2**53)]
Id = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Arrival(_Body):
    password: str = Field("", max_length=500)


class MaskWanted(_Body):
    """points: (x, y, label) in pixels of the person's picture, label 1 = on the garment, 0 = not"""

    person: Id
    category: Category = "upper"
    points: list[tuple[Annotated[float, Field(ge=0, le=1e5)], Annotated[float, Field(ge=0, le=1e5)], Literal[0, 1]]] = Field(
        [], max_length=64
    )


class TryOnWanted(_Body):
    """category: nothing takes the garment's own; mask: the id of a mask job's, nothing finds it"""

    person: Id
    garment: Id
    category: Category | None = None
    mask: Id = ""
    engine: str = Field("auto", max_length=60)
    seed: Seed = 0


class WordsWanted(_Body):
    kind: Literal["person", "garment"]
    words: str = Field(min_length=2, max_length=WORDS_MOST)
    seed: Seed = 0


def make(settings: Settings) -> FastAPI:
    """The application, with its room in ``app.state.room``; the room opens and closes with it."""
    room = Room(settings)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        await room.open()
        yield
        await room.close()

    app = FastAPI(title="Atelier dressing room", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", lifespan=life)
    app.state.room = room
    app.add_middleware(Guard, settings=settings, metrics=room.metrics)
    _refusals(app)
    _pages(app, room)
    _arrivals(app, room)
    _pictures(app, room)
    _work(app, room)
    return app


def _refusals(app: FastAPI) -> None:
    """Every fault is answered in words, and none with what the room is made of."""

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        again = {"retry-after": str(error.values["seconds"])} if "seconds" in error.values else {}
        return JSONResponse({"error": str(error), "code": error.key}, error.status, again)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])[:100] or "body"
        return JSONResponse({"error": say("error.invalid", where=where, why=first["msg"][:200]), "code": "error.invalid"}, 422)

    @app.exception_handler(HTTPException)
    async def elsewhere(request: Request, error: HTTPException) -> Response:
        return JSONResponse({"error": say("error.nothing"), "code": "error.nothing"}, error.status_code)


def _pages(app: FastAPI, room: Room) -> None:
    def serve(address: str, name: str, kind: str) -> None:
        @app.get(f"/{address}", include_in_schema=False)
        async def file() -> Response:
            return FileResponse(PAGE / name, media_type=kind, headers={"cache-control": "no-cache"})

    for address, (name, kind) in FILES.items():
        serve(address, name, kind)

    @app.get("/health")
    async def health() -> Response:
        """Whether the room takes jobs and somebody is there to do them: 200 or 503."""
        return JSONResponse({"well": room.well}, 200 if room.well else 503)

    @app.get("/metrics")
    async def metrics(request: Request, authorization: Annotated[str, Header()] = "") -> Response:
        """Requests, seconds, jobs and failures for Prometheus; with a password, ``Authorization: Bearer PASSWORD`` is needed."""
        room.entrance.check(_address(request), authorization.removeprefix("Bearer "))
        return PlainTextResponse(room.metrics.text(room.gauges()), media_type="text/plain; version=0.0.4")


def _arrivals(app: FastAPI, room: Room) -> None:
    @app.get("/api/room")
    async def about() -> dict[str, Any]:
        """What somebody needs to know before they come in."""
        limits = room.settings
        return {
            "password": room.entrance.asks,
            "minutes": round(limits.idle / 60),
            "upload_bytes": limits.upload_bytes,
            "words_most": WORDS_MOST,
        }

    @app.post("/api/session", status_code=201)
    async def arrive(request: Request, arrival: Arrival) -> dict[str, Any]:
        """Come in. The answer's ``session`` goes into the header ``X-Session`` of everything else."""
        if room.jobs.closing:
            raise Refused(503, "error.closing")
        room.entrance.arrive(_address(request), arrival.password)
        session = room.sessions.new()
        return {"session": session.token, "engines": room.engines, "stock": [piece.told() for piece in room.stock.values()]}

    @app.delete("/api/session", status_code=204)
    async def leave(session: Here) -> None:
        """Go, and have every picture deleted."""
        room.sessions.end(session)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _session(request: Request, x_session: Annotated[str, Header(max_length=200)] = "") -> Session:
    return request.app.state.room.sessions.find(x_session)


Here = Annotated[Session, Depends(_session)]
"""Whoever asks; without their token nothing below is answered."""


def _pictures(app: FastAPI, room: Room) -> None:
    @app.post(
        "/api/pictures",
        status_code=201,
        openapi_extra={
            "requestBody": {"required": True, "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
        },
    )
    async def take(
        request: Request, session: Here, kind: Literal["person", "garment"], name: str = "", category: Category = "upper"
    ) -> dict[str, Any]:
        """Upload a picture: the file is the body. It is decoded, turned upright, and kept without its metadata."""
        room.ask(session)
        upload = session.folder / f"{secrets.token_hex(8)}.upload"
        try:
            async with asyncio.timeout(_UPLOAD):
                with upload.open("wb") as file:
                    async for chunk in request.stream():
                        file.write(chunk)
        except (TimeoutError, ClientDisconnect):
            upload.unlink(missing_ok=True)
            raise Refused(408, "error.late") from None
        except BaseException:
            upload.unlink(missing_ok=True)
            raise
        return (await room.take_in(session, upload, kind, name[:200], category)).told()

    @app.get("/api/pictures")
    async def everything(session: Here) -> list[dict[str, Any]]:
        """All of one's own pictures."""
        return [picture.told() for picture in session.pictures.values()]

    @app.get("/api/pictures/{known}", response_class=FileResponse)
    async def show(session: Here, known: str) -> Response:
        """The file of a picture: one's own, or of the wall. A result is a PNG whose text fields say how it came about."""
        of = room.see(session, known)
        kind = "image/png" if of.path.suffix == ".png" else "image/jpeg"
        if of.path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            kind = "application/octet-stream"  # a wardrobe of one's own
        return FileResponse(of.path, media_type=kind)

    @app.delete("/api/pictures/{known}", status_code=204)
    async def remove(session: Here, known: str) -> None:
        """Delete a picture of one's own."""
        room.sessions.remove(session, session.picture(known))


def _work(app: FastAPI, room: Room) -> None:
    @app.post("/api/masks", status_code=202)
    async def mask(session: Here, wanted: MaskWanted) -> dict[str, Any]:
        """Have the mask of what somebody wears found, or corrected by clicks; a job."""
        room.ask(session)
        points = [(x, y, int(label)) for x, y, label in wanted.points]
        return (await room.mask(session, wanted.person, wanted.category, points)).told()

    @app.post("/api/tryons", status_code=202)
    async def wear(session: Here, wanted: TryOnWanted) -> dict[str, Any]:
        """Have a garment put on somebody; a job."""
        room.ask(session)
        job = await room.wear(
            session, wanted.person, wanted.garment, wanted.category or "", wanted.mask, wanted.engine, wanted.seed
        )
        return job.told()

    @app.post("/api/drawings", status_code=202)
    async def draw(session: Here, wanted: WordsWanted) -> dict[str, Any]:
        """Have somebody, or a garment, drawn from words; a job."""
        room.ask(session)
        return (await room.draw(session, wanted.kind, wanted.words, wanted.seed)).told()

    @app.get("/api/jobs/{known}")
    async def look(session: Here, known: str, after: int | None = None, wait: float = 0.0) -> dict[str, Any]:
        """How far a job is. With ``wait`` (at most 20 seconds) the answer comes once it is over; with ``after`` (a ``version``) also
        as soon as there is something newer."""
        job = session.job(known)
        await job.later(after, max(0.0, min(wait, _LONGEST_WAIT)))
        return job.told()

    @app.delete("/api/jobs/{known}")
    async def cancel(session: Here, known: str) -> dict[str, Any]:
        """Cancel a job, wherever it is."""
        job = session.job(known)
        room.jobs.cancel(job)
        return job.told()
