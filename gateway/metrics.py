"""What is counted. Labels are words of ours from closed sets: never a number, a name or anything a caller sent."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 5.0)


class Metrics:
    """Every counter of the gateway, on one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the counters; several workers share them through prometheus_client's multiprocess mode."""
        self._calls = Counter(
            "notice_gateway_webhooks",
            "Webhooks answered, by event, decision and reason; a fall-through still connects.",
            ("provider", "event", "decision", "reason"),
            registry=registry,
        )
        self._refused = Counter(
            "notice_gateway_webhooks_refused",
            "Webhooks refused before anything was parsed: signature, method or size.",
            ("provider", "why"),
            registry=registry,
        )
        self._tokens = Counter(
            "notice_gateway_tokens_refused",
            "Callback tokens that were missing, forged, expired or of another call.",
            ("provider", "why"),
            registry=registry,
        )
        self._screens = Counter(
            "notice_gateway_screen_failures", "Times the screen could not be refreshed.", registry=registry
        )
        self._tallies = Counter(
            "notice_gateway_call_count_failures",
            "Times the calls of an hour could not be written down; they are kept and tried again.",
            registry=registry,
        )
        self._dispositions = Counter(
            "notice_gateway_dispositions", "How calls ended.", ("provider", "disposition"), registry=registry
        )
        self._missing = Counter(
            "notice_gateway_renditions_missing",
            "Recordings that were asked for and not sent: none of that name, or their storage is away.",
            ("why",),
            registry=registry,
        )
        self._seconds = Histogram(
            "notice_gateway_webhook_seconds",
            "Time to answer a webhook, in seconds.",
            ("provider", "event"),
            buckets=_BUCKETS,
            registry=registry,
        )

        # Looking a labelled counter up costs more than counting; there are a few dozen of them.
        self._answered: dict[tuple[str, str, str, str], tuple[Counter, Histogram]] = {}

    def answered(self, provider: str, event: str, decision: str, reason: str, seconds: float) -> None:
        """Count an answered webhook."""
        labels = (provider, event, decision, reason)
        with _forgiven():
            found = self._answered.get(labels)
            if found is None:
                found = (self._calls.labels(*labels), self._seconds.labels(provider, event))
                self._answered[labels] = found
            found[0].inc()
            found[1].observe(seconds)

    def refused(self, provider: str, why: str) -> None:
        """Count a webhook that was refused."""
        with _forgiven():
            self._refused.labels(provider, why).inc()

    def token_refused(self, provider: str, why: str) -> None:
        """Count a callback token that was refused."""
        with _forgiven():
            self._tokens.labels(provider, why).inc()

    def screen_failed(self) -> None:
        """Count a refresh that the database did not answer."""
        with _forgiven():
            self._screens.inc()

    def tally_failed(self) -> None:
        """Count a writing of the calls of an hour that the database did not take."""
        with _forgiven():
            self._tallies.inc()

    def rendition_missing(self, why: str) -> None:
        """Count a recording that could not be sent."""
        with _forgiven():
            self._missing.labels(why).inc()

    def ended(self, provider: str, disposition: str) -> None:
        """Count the end of a call."""
        with _forgiven():
            self._dispositions.labels(provider, disposition).inc()


def _forgiven() -> suppress:
    """Go on without the count where its file cannot be made or grown: a full disk must not cost a call."""
    return suppress(OSError, ValueError)
