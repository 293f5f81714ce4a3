"""What every command gets: the parts that only this place may put together."""

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from gateway import log
from gateway.assembly import Parts, prepare, put_together
from gateway.clock import utc_now
from gateway.late import late
from gateway.settings import Settings, load

if TYPE_CHECKING:
    from gateway import bridge_screen, rehearsal
    from gateway.providers.sip.bridge import program as bridge
    from gateway.providers.twilio.player import TwilioPlayer
else:
    # What plays calls needs httpx and numpy, and the bridge aiohttp: a quarter of a second for every other command.
    rehearsal = late("gateway.rehearsal")
    bridge_screen = late("gateway.bridge_screen")
    bridge = late("gateway.providers.sip.bridge.program")


class Program:
    """What every command gets as `ctx.obj`; nothing is opened before a command asks for it, and all of it is closed."""

    def __init__(self, opened: ExitStack) -> None:
        """Leave what is opened to `opened`, which the caller closes."""
        self._opened = opened

    def settings(self) -> Settings:
        """Read the settings. Raises SettingsError."""
        settings = load()
        log.configure(settings.log_level)
        return settings

    def prepared(self) -> Parts:
        """Return the parts, creating what is missing."""
        return self._kept(prepare(self.settings()))

    def parts(self) -> Parts:
        """Return the parts of a gateway that is there already."""
        return self._kept(put_together(self.settings()))

    def _kept(self, parts: Parts) -> Parts:
        self._opened.callback(parts.close)
        return parts

    def player_for_calls(self) -> "TwilioPlayer":
        """Return the player that takes Twilio's part."""
        parts = self.parts()
        http = self._opened.enter_context(rehearsal.new_http())
        return rehearsal.player_over(parts.settings, parts.keys, http)

    def run_sip_bridge(self) -> None:
        """Run the bridge to Kamailio until it is told to stop. Raises SettingsError."""
        settings = self.settings()
        strangers = partial(bridge_screen.open_screen, settings) if settings.sip_screen else None
        bridge.run_bridge(settings, utc_now, strangers)

    def signature_works(self, settings: Settings) -> bool:
        """Sign a webhook with each token and check it, as the gateway does with Twilio's."""
        return rehearsal.signature_works(settings)
