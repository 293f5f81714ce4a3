"""Fixtures: an edge of one's own, with its parties and the capture of what goes over the wire."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.once import made_once
from tests.sip.edge import Edge, running_edge
from tests.sip.house import House, a_house
from tests.sip.ports import Ports, a_block_of_ports
from tests.sip.scripted_bridge import Answer, ScriptedBridge, a_scripted_bridge
from tests.sip.tones import load_toned_demo
from tests.sip.wire import Endpoint, an_endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An edge with an endpoint that calls, and one that is called."""

    edge: Edge
    caller: Endpoint
    callee: Endpoint
    ports: Ports

    @contextmanager
    def bridge(self, answer: Answer) -> Iterator[ScriptedBridge]:
        """Let a scripted bridge decide for as long as the context lasts."""
        self.edge.wait_for_bridge("absent")
        with a_scripted_bridge(self.edge.evapi, answer) as bridge:
            self.edge.wait_for_bridge()
            yield bridge
        self.edge.wait_for_bridge("absent")


@pytest.fixture
def ports() -> Iterator[Ports]:
    with a_block_of_ports() as block:
        yield block


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """An edge for all of a module's tests, which leave it as they found it."""
    with ExitStack() as stack:
        ports = stack.enter_context(a_block_of_ports())
        edge = stack.enter_context(running_edge(tmp_path_factory.mktemp("edge"), ports))
        caller = stack.enter_context(an_endpoint(ports.one(), edge.sip))
        callee = stack.enter_context(an_endpoint(edge.callee, edge.sip))
        yield Line(edge=edge, caller=caller, callee=callee, ports=ports)


@pytest.fixture(scope="session")
def toned_demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The demo with a tone for every text: made once for all of xdist's workers, and never changed."""
    return made_once(tmp_path_factory, worker_id, "toned-demo", load_toned_demo)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, toned_demo: Path) -> Iterator[House]:
    """A house for all of a module's tests, which leave it as they found it."""
    with a_house(tmp_path_factory.mktemp("house"), toned_demo) as built:
        yield built
