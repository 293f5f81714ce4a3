"""FastAPI on uvicorn: a pool of asyncpg, which prepares its statements by itself, and Twilio's RequestValidator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import asyncpg  # type: ignore[import-untyped]  # It has no types, and its stubs are not worth a dependency.
from fastapi import FastAPI, HTTPException, Request, Response
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from bench.peers.environment import DATABASE, ORIGIN, TOKEN

_VALIDATOR = RequestValidator(TOKEN)
_NOTICE = "SELECT notice_url FROM peer_notices WHERE line = $1 AND in_force"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold a pool for as long as the worker runs."""
    async with asyncpg.create_pool(DATABASE, min_size=4, max_size=8) as pool:
        app.state.pool = pool
        yield


application = FastAPI(lifespan=_lifespan, openapi_url=None)


@application.post("/twilio/call")
async def call(request: Request) -> Response:
    """Play the notice of a line that has one, and connect."""
    # By hand, and quicker than python-multipart, which Request.form() would need.
    form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    if not _VALIDATOR.validate(ORIGIN + request.url.path, form, request.headers.get("X-Twilio-Signature", "")):
        raise HTTPException(403)
    line = form["To"]
    notice_url = await request.app.state.pool.fetchval(_NOTICE, line)
    response = VoiceResponse()
    if notice_url is not None:
        gather = Gather(num_digits=1, timeout=1, action=f"{ORIGIN}/twilio/connect", finish_on_key="")
        gather.play(notice_url)
        response.append(gather)
    dial = Dial(answer_on_bridge=True, timeout=60, action=f"{ORIGIN}/twilio/dialled")
    dial.number(line)
    response.append(dial)
    return Response(str(response), media_type="text/xml; charset=utf-8")
