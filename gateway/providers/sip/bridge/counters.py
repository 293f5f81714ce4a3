"""What the bridge counts. Labels are words of ours: never a number, a Call-ID or anything that came in a message."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.45, 1.0)


class Counters:
    """Every counter of the bridge, on one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the counters."""
        prefix = "notice_gateway_sip"
        self.calls = Counter(
            f"{prefix}_calls", "Calls answered, and why so.", ("instruction", "why"), registry=registry
        )
        self.plays = Counter(f"{prefix}_plays", "Sounds played, and how that ended.", ("leg", "end"), registry=registry)
        self.failures = Counter(
            f"{prefix}_failures", "What went wrong; calls went on.", ("code", "why"), registry=registry
        )
        self.linked = Gauge(f"{prefix}_linked", "Whether the bridge is connected to Kamailio.", registry=registry)
        self.screening = Gauge(
            f"{prefix}_screening", "Whether the bridge answers for lines under no order.", registry=registry
        )
        self.under_way = Gauge(f"{prefix}_calls_under_way", "Calls that the bridge has a part in.", registry=registry)
        self.seconds = Histogram(
            f"{prefix}_seconds",
            "Time from a call's news to its first instruction.",
            buckets=_BUCKETS,
            registry=registry,
        )
