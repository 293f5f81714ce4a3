"""What can go wrong between the bridge and its neighbours; each has a word of a closed set for log and metrics."""

from gateway.domain.errors import GatewayError


class BridgeError(GatewayError):
    """The bridge cannot go on with a notice ({why})."""

    code = "sip_bridge"

    @property
    def why(self) -> str:
        """Return the word for log and metrics."""
        return str(self.details.get("why", self.code))


class JunkError(BridgeError):
    """What came from {neighbour} cannot be read: {why}."""

    code = "sip_junk"


class GatewayAwayError(BridgeError):
    """The gateway did not answer as it should ({why}); the call is connected."""

    code = "sip_gateway_away"


class ScreenAwayError(BridgeError):
    """The bridge has no screen of its own ({why}); it asks the gateway about every call."""

    code = "sip_screen"


class MediaError(BridgeError):
    """Rtpengine did not do what it was told ({why}); the call is connected."""

    code = "sip_media"


class SoundMissingError(BridgeError):
    """A recording is not in the folder of sounds ({why}); the call is connected, and it is fetched for the next."""

    code = "sip_sound_missing"
