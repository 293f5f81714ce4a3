"""Requests on kept connections: against a server that answers, byte by byte, what the test has it answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.providers.sip.bridge.errors import JunkError
from gateway.providers.sip.bridge.poster import Poster, Reply

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
BIT_BY_BIT = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
TWICE = GOOD + GOOD
ENOUGH = Reply(200, b"{}")


class Scripted:
    """Answers requests in turn, and counts connections; an answer that is None is the end of a connection."""

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self.connections = 0
        self.tasks: list[asyncio.Task[None] | None] = []
        self.requests: list[bytes] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.current_task())
        await self.serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self._answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()


@asynccontextmanager
async def _posting(scripted: Scripted) -> AsyncIterator[Poster]:
    server = await asyncio.start_server(scripted.take, "127.0.0.1", 0)
    poster = Poster(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield poster
    finally:
        poster.close()
        server.close()
        await asyncio.gather(*(task for task in scripted.tasks if task is not None))


def _with(scripted: Scripted, work: Callable[[Poster], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(10), _posting(scripted) as poster:
            await work(poster)

    asyncio.run(whole())


async def _post(poster: Poster) -> Reply:
    return await poster.post("/sip/call?token=a%2Fb", b"{}", {"X-Signed": "yes"})


@pytest.mark.parametrize("answer", [GOOD, BIT_BY_BIT], ids=["whole", "in chunks"])
def test_requests_follow_one_another_on_one_connection(answer: bytes) -> None:
    scripted = Scripted(answer, answer, answer)

    async def work(poster: Poster) -> None:
        assert [await _post(poster) for _ in range(3)] == [ENOUGH] * 3

    _with(scripted, work)
    assert scripted.connections == 1


def test_a_request_goes_out_as_it_was_signed() -> None:
    scripted = Scripted(GOOD)

    async def work(poster: Poster) -> None:
        await _post(poster)

    _with(scripted, work)
    head, _, body = scripted.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /sip/call?token=a%2Fb HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-Signed: yes" in head
    assert b"\r\nContent-Type: application/json" in head
    assert body == b"{}"


def test_requests_at_once_have_a_connection_each() -> None:
    scripted = Scripted(*[GOOD] * 5)

    async def work(poster: Poster) -> None:
        assert await asyncio.gather(*(_post(poster) for _ in range(5))) == [ENOUGH] * 5

    _with(scripted, work)
    assert scripted.connections == 5


@pytest.mark.parametrize("last", [LAST, GOOD], ids=["said", "unsaid"])
def test_a_connection_that_the_gateway_closed_is_replaced(last: bytes) -> None:
    scripted = Scripted(last, *([None] if last is GOOD else []), GOOD)

    async def work(poster: Poster) -> None:
        assert await _post(poster) == ENOUGH
        assert await _post(poster) == ENOUGH

    _with(scripted, work)
    assert scripted.connections == 2


def test_a_gateway_that_closes_a_new_connection_is_away() -> None:
    async def work(poster: Poster) -> None:
        with pytest.raises(ConnectionError):
            await _post(poster)

    _with(Scripted(None), work)


@pytest.mark.parametrize(
    "answer",
    [b"220 smtp.example.org\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_500_000],
    ids=["no HTTP", "too large"],
)
def test_what_is_no_answer_is_junk_and_its_connection_is_left(answer: bytes) -> None:
    scripted = Scripted(answer, GOOD)

    async def work(poster: Poster) -> None:
        with pytest.raises(JunkError):
            await _post(poster)
        assert await _post(poster) == ENOUGH

    _with(scripted, work)
    assert scripted.connections == 2


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    late = asyncio.Event()

    class Late(Scripted):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self.connections:
                self.connections += 1
                await reader.read(1)
                await late.wait()
                writer.write(b"HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n")
                return
            await super().serve(reader, writer)

    scripted = Late(GOOD)

    async def work(poster: Poster) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await _post(poster)
        late.set()
        assert await _post(poster) == ENOUGH

    _with(scripted, work)
    assert scripted.connections == 2


def test_an_answer_that_nobody_asked_for_closes_its_connection() -> None:
    scripted = Scripted(TWICE, GOOD)

    async def work(poster: Poster) -> None:
        assert await _post(poster) == ENOUGH
        assert await _post(poster) == ENOUGH

    _with(scripted, work)
    assert scripted.connections == 2
