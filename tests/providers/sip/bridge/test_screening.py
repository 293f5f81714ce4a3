"""A bridge with a screen of its own: it answers for lines that are certainly under no order, and for nothing else."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from gateway.assembly import Parts, put_together
from gateway.audit import call_counts
from gateway.bridge_screen import BridgeScreen, open_screen
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.facts import CallFacts
from gateway.domain.plan import CallPlan, Decision
from gateway.program import Program
from gateway.providers.sip.bridge import program, screening
from gateway.providers.sip.bridge.counters import Counters
from gateway.providers.sip.bridge.errors import ScreenAwayError
from gateway.providers.sip.bridge.messages import Invite
from gateway.providers.sip.bridge.program import Bridge
from gateway.providers.sip.bridge.reporter import Arrival, arrival_of
from gateway.providers.sip.bridge.screening import OpenStrangers, Screening
from gateway.providers.sip.bridge.steps import Connect, read_steps
from gateway.providers.sip.signature import HEADER, sign
from gateway.register import screen_keeper
from gateway.register.tables import installation
from gateway.settings import Settings, load
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from tests.providers.sip.bridge.edge import Edge, Message, an_edge
from tests.providers.sip.bridge.engine import free_udp_port
from tests.providers.sip.bridge.gateway import a_gateway
from tests.providers.sip.bridge.stand_ins import StandInGateway, a_stand_in_gateway, an_engine
from tests.register.screening import put_in_force

KNOWN, LIFTED, STRANGER, NEW = "+12025550110", "+12025550130", "+12025550199", "+12025550161"
SECRET = "a-secret-of-the-bridge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A bridge beside the register, and a gateway that only remembers what it was asked."""

    edge: Edge
    gateway: StandInGateway
    bridge: Bridge
    parts: Parts

    async def call(self, callee: str, **more: str) -> Message:
        """Let a call come in and return what Kamailio is told."""
        self.edge.invite(callee, **more)
        return await self.edge.instruction()

    async def was_asked(self, callee: str, **more: str) -> bool:
        """Let a call come in, and tell whether the gateway was asked about it."""
        before = len(self.gateway.told("call"))
        assert (await self.call(callee, **more))["do"] == "connect"
        return len(self.gateway.told("call")) > before

    async def begins_to_answer(self) -> None:
        """Wait until it answers for a stranger; each call before that shows it the gateway's mark."""
        for _ in range(200):
            if not await self.was_asked(STRANGER):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the bridge asks about every call")

    def counted(self, name: str, **labels: str) -> float:
        return self.bridge.registry.get_sample_value(f"notice_gateway_sip_{name}", labels) or 0.0


Scenario = Callable[[Scene], Awaitable[None]]


@asynccontextmanager
async def a_scene(
    settings: Settings, *, mark: str, strangers: OpenStrangers | None = None, parts_of: Settings | None = None
) -> AsyncIterator[Scene]:
    parts = put_together(parts_of or settings)
    async with an_edge() as edge, an_engine() as engine, a_stand_in_gateway() as gateway:
        gateway.answers = {"call": [{"connect": {"to": "sip:asked@example.org", "mark": mark, "whisper": ""}}]}
        own = settings.model_copy(
            update={
                "sip_gateway_url": gateway.origin,
                "sip_rtpengine": engine.address,
                "sip_evapi": f"127.0.0.1:{edge.port}",
                "sip_dtmf_listen": f"127.0.0.1:{free_udp_port()}",
            }
        )
        own.sounds_dir.mkdir(exist_ok=True)
        async with Bridge(own, utc_now, strangers or partial(open_screen, own)) as bridge:
            await asyncio.wait_for(edge.linked.wait(), 5)
            yield Scene(edge=edge, gateway=gateway, bridge=bridge, parts=parts)
    parts.close()


def play(
    settings: Settings,
    scenario: Scenario,
    *,
    mark: str,
    strangers: OpenStrangers | None = None,
    parts_of: Settings | None = None,
) -> None:
    async def whole() -> None:
        async with a_scene(settings, mark=mark, strangers=strangers, parts_of=parts_of) as scene:
            await asyncio.wait_for(scenario(scene), 60)

    asyncio.run(whole())


@pytest.fixture
def settings(demo_settings: Settings) -> Settings:
    return load(data_dir=demo_settings.data_dir, database_url=demo_settings.database_url, sip_secret=SECRET)


def key_of(settings: Settings) -> str:
    parts = put_together(settings)
    parts.close()
    return parts.keys.key_id


@pytest.fixture
def own_mark(settings: Settings) -> str:
    return key_of(settings)


def test_strangers_are_connected_unasked_and_counted(settings: Settings, own_mark: str) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.begins_to_answer()
        asked, before = len(scene.gateway.reports), scene.counted("calls_total", instruction="connect", why="no_order")
        for _ in range(5):
            told = await scene.call(STRANGER)
            assert (told["do"], told["to"], told["mark"], told["whisper"]) == ("connect", "", own_mark, False)
        assert len(scene.gateway.reports) == asked
        assert scene.counted("calls_total", instruction="connect", why="no_order") == before + 5
        assert scene.counted("seconds_count") >= before + 5
        assert scene.counted("calls_under_way") == 0

    began = utc_now()
    play(settings, scenario, mark=own_mark)
    parts = put_together(settings)
    with parts.reading.connect() as connection:
        counts = call_counts.between(connection, began - timedelta(hours=1), began + timedelta(hours=2))
    parts.close()
    # One when it began to answer, and five.
    assert [(each.outcome, each.calls) for each in counts] == [(Decision.CONNECT, 6)]


def test_everything_else_is_the_gateways(settings: Settings, own_mark: str) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.begins_to_answer()
        # Under an order in force, or one that is over: the register knows which.
        assert await scene.was_asked(KNOWN)
        assert await scene.was_asked(LIFTED)
        # No number, a call that came back to us, and a call without a proper name.
        assert await scene.was_asked("reception")
        assert await scene.was_asked(STRANGER, mark=own_mark)
        assert await scene.was_asked(STRANGER, call="a name with spaces")
        assert not await scene.was_asked(STRANGER, mark="somebody's else")

    play(settings, scenario, mark=own_mark)


def test_a_new_order_is_known_within_two_seconds_and_a_lifted_one_stays_the_gateways(
    settings: Settings, own_mark: str
) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.begins_to_answer()
        assert not await scene.was_asked(NEW)
        order = await asyncio.to_thread(put_in_force, scene.parts, E164(NEW))
        deadline = asyncio.get_running_loop().time() + 2
        while not await scene.was_asked(NEW):
            assert asyncio.get_running_loop().time() < deadline
        office = scene.parts.studio
        await asyncio.to_thread(lift_order, office.engine, office.keys, order, at_the_command_line(utc_now()))
        assert await scene.was_asked(NEW)

    play(settings, scenario, mark=own_mark)


@pytest.mark.parametrize("mark", ["", "another-key"])
def test_a_gateway_with_other_keys_is_asked_about_every_call(settings: Settings, mark: str) -> None:
    opened = Event()

    def opening(failed: Callable[[str], None]) -> BridgeScreen:
        screen = open_screen(settings, failed)
        opened.set()
        return screen

    async def scenario(scene: Scene) -> None:
        assert await asyncio.to_thread(opened.wait, 20)
        for _ in range(20):
            await asyncio.sleep(0.02)
            assert await scene.was_asked(STRANGER)
        assert scene.counted("screening") == 0

    play(settings, scenario, mark=mark, strangers=opening)


def test_a_gateway_that_comes_to_have_other_keys_is_asked_again(settings: Settings, own_mark: str) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.begins_to_answer()
        scene.gateway.answers["call"][0]["connect"]["mark"] = "another-key"
        assert not await scene.was_asked(STRANGER)
        assert await scene.was_asked(KNOWN)
        assert await scene.was_asked(STRANGER)

    play(settings, scenario, mark=own_mark)


def test_a_register_that_is_away_is_not_vouched_for(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_keeper, "_CURRENT_SECONDS", 0.5)
    settings = load(data_dir=sqlite_settings.data_dir, sip_secret=SECRET)
    path, away = settings.sqlite_path, settings.sqlite_path.with_suffix(".away")

    async def scenario(scene: Scene) -> None:
        await scene.begins_to_answer()
        path.rename(away)
        path.mkdir()
        deadline = asyncio.get_running_loop().time() + 5
        while not await scene.was_asked(STRANGER):
            assert asyncio.get_running_loop().time() < deadline
        assert scene.counted("failures_total", code="sip_screen", why="screen not read") > 0
        path.rmdir()
        away.rename(path)
        await scene.begins_to_answer()

    play(settings, scenario, mark=key_of(settings))


def test_a_register_that_comes_later_is_used_from_then_on(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "_AGAIN_SECONDS", 0.05)
    mark = key_of(sqlite_settings)
    empty = tmp_path / "later"
    empty.mkdir()
    settings = load(data_dir=empty, sip_secret=SECRET)

    async def scenario(scene: Scene) -> None:
        await asyncio.sleep(0.3)
        assert await scene.was_asked(STRANGER)
        assert scene.counted("screening") == 0
        await asyncio.to_thread(shutil.copytree, sqlite_settings.data_dir, empty, dirs_exist_ok=True)
        await scene.begins_to_answer()
        assert scene.counted("screening") == 1

    play(settings, scenario, mark=mark, parts_of=sqlite_settings)


def test_a_register_under_other_keys_is_none(settings: Settings) -> None:
    parts = put_together(settings)
    with parts.studio.engine.begin() as connection:
        connection.execute(update(installation).values(key_id="another"))
    parts.close()
    with pytest.raises(ScreenAwayError) as raised:
        open_screen(settings, lambda _why: None)
    assert raised.value.why == "key_mismatch"


def test_a_register_that_does_not_answer_is_none(tmp_path: Path) -> None:
    with pytest.raises(ScreenAwayError) as raised:
        open_screen(load(data_dir=tmp_path / "nothing", sip_secret=SECRET), lambda _why: None)
    assert raised.value.why == "no_register"


def test_a_defect_of_the_screen_leaves_the_call_to_the_gateway(settings: Settings) -> None:
    class Broken(BridgeScreen):
        def answer(self, facts: CallFacts, now: datetime) -> CallPlan | None:
            raise RuntimeError(f"nothing is known of {facts.provider} at {now}")

    def opening(failed: Callable[[str], None]) -> BridgeScreen:
        return Broken(put_together(settings), failed)

    async def scenario(scene: Scene) -> None:
        deadline = asyncio.get_running_loop().time() + 20
        while scene.counted("screening") == 0:
            assert await scene.was_asked(STRANGER)
            assert asyncio.get_running_loop().time() < deadline
        assert await scene.was_asked(STRANGER)
        assert scene.counted("failures_total", code="sip_screen", why="defect") == 1

    play(settings, scenario, mark=key_of(settings), strangers=opening)


def test_a_screen_that_cannot_be_opened_for_a_defect_keeps_no_call_and_no_end(sqlite_settings: Settings) -> None:
    settings = load(data_dir=sqlite_settings.data_dir, sip_secret=SECRET)

    def opening(_failed: Callable[[str], None]) -> BridgeScreen:
        raise RuntimeError("nobody thought of this")

    async def scenario(scene: Scene) -> None:
        deadline = asyncio.get_running_loop().time() + 5
        while scene.counted("failures_total", code="sip_screen", why="defect") == 0:
            assert await scene.was_asked(STRANGER)
            assert asyncio.get_running_loop().time() < deadline

    play(settings, scenario, mark=key_of(settings), strangers=opening)


def test_the_bridge_says_what_the_gateway_would_say(settings: Settings, tmp_path: Path) -> None:
    """The same dialect, the same decision: for numbers in every form, with a route of their own and without."""
    (tmp_path / "config").mkdir()
    for each in settings.config_dir.glob("*.toml"):
        shutil.copy(each, tmp_path / "config")
    (tmp_path / "config" / "routes.toml").write_text('[lines]\n"+12025550198" = "sip:desk@pbx.example.org"\n')
    settings = load(
        data_dir=settings.data_dir,
        database_url=settings.database_url,
        sip_secret=SECRET,
        config_dir=tmp_path / "config",
    )
    callees = ("+12025550199", "%2B12025550199", "+12025550199;phone-context=x", "+12025550198")

    async def own_routes(arrivals: list[Arrival]) -> list[Connect | None]:
        answering = Screening(Counters(CollectorRegistry()), utc_now)
        await answering.open(partial(open_screen, settings))
        answering.compare(key_of(settings))
        routes = [answering.route(each) for each in arrivals]
        await answering.close()
        return routes

    arrivals = [
        arrival_of(Invite(call="a@b", caller_tag="A", caller=KNOWN, callee=each, mark="", sdp=""), "0" * 16)
        for each in callees
    ]
    with a_gateway(settings) as origin:
        asked = [ask(origin, each) for each in arrivals]
    assert asyncio.run(own_routes(arrivals)) == asked
    assert [each.to for each in asked] == ["", "", "", "sip:desk@pbx.example.org"]


def ask(origin: str, arrival: Arrival) -> Connect:
    """Ask the gateway itself."""
    body = json.dumps({"version": 1, **arrival}).encode()
    headers = {HEADER: sign(SECRET, "/sip/call", body, utc_now())}
    answer = httpx.post(f"{origin}/sip/call", content=body, headers=headers, trust_env=False)
    (route,) = read_steps(answer.content)
    assert isinstance(route, Connect)
    return route


def test_the_setting_keeps_the_bridge_from_looking(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(program, "run_bridge", lambda _settings, _clock, strangers: given.append(strangers))
    monkeypatch.setenv("NOTICE_GATEWAY_DATA_DIR", str(sqlite_settings.data_dir))
    for told in ("true", "false"):
        monkeypatch.setenv("NOTICE_GATEWAY_SIP_SCREEN", told)
        with ExitStack() as opened:
            Program(opened).run_sip_bridge()
    assert [each is not None for each in given] == [True, False]
