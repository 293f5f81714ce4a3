"""Play <Dial> on the caller's leg: attempt to connect, then tell the document's action how it ended."""

from gateway.providers.twilio.player_attempt import Attempt
from gateway.providers.twilio.player_http import ApplicationError, Wire
from gateway.providers.twilio.player_leg import Goto, Leg
from gateway.providers.twilio.player_scene import CallerGoneError, Scene
from gateway.providers.twilio.player_verbs import Dial
from gateway.workflows.simulate_call import CallScript, Disposition


class Dialler:
    """Plays <Dial> for the caller's leg; remembers the party connected to and how that ended."""

    def __init__(self, script: CallScript, scene: Scene, wire: Wire, caller: Leg) -> None:
        """Keep the collaborators; nobody has been dialled."""
        self._script, self._scene, self._wire, self._caller = script, scene, wire, caller
        self.connected_to: str | None = None
        self.disposition: Disposition | None = None
        self.bridged = False

    def dial(self, dial: Dial) -> Goto | None:
        """Connect the caller; return where Twilio goes on, None being the next verb. Raises CallerGoneError."""
        attempt = Attempt(self._script, self._scene, self._wire, self._caller, dial)
        try:
            end = attempt.run()
        except CallerGoneError:
            self._finish(attempt)
            self._caller.status = "canceled" if self._caller.status == "ringing" else "completed"
            attempt.abandon()
            self._tell_action(dial, attempt)
            raise
        self._finish(attempt)
        self.disposition = end.disposition
        attempt.settle(end.status)
        # <Dial>: without action, "Twilio will continue to render the original TwiML document".
        if not dial.action:
            return None
        return Goto(method=dial.method, url=dial.action, extra=attempt.report())

    def _finish(self, attempt: Attempt) -> None:
        self.bridged = self.bridged or attempt.bridged
        if attempt.bridged:
            self.connected_to = attempt.rang

    def _tell_action(self, dial: Dial, attempt: Attempt) -> None:
        """Post to the action of a <Dial> whose caller has gone; what it answers is not executed any more."""
        if not dial.action:
            return
        try:
            self._wire.fetch(dial.method, dial.action, self._caller.form(attempt.report()))
        except ApplicationError as error:
            self._scene.trouble(str(error))
