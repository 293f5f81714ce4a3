"""What all calls of a bridge share."""

from dataclasses import dataclass

from gateway.providers.sip.bridge.counters import Counters
from gateway.providers.sip.bridge.door import Door
from gateway.providers.sip.bridge.link import Link
from gateway.providers.sip.bridge.media import Media
from gateway.providers.sip.bridge.screening import Screening
from gateway.providers.sip.bridge.sounds import Sounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Ways to the neighbours, what the bridge decides by itself, sounds and counters."""

    door: Door
    screening: Screening
    link: Link
    media: Media
    sounds: Sounds
    counters: Counters
