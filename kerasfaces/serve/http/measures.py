"""What a service counts for Prometheus; no label comes from a client."""

from typing import Any

from kerasfaces.core.imports import optional_import

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Measures:
    """Counters of one service, apart from others in the same process."""

    def __init__(self) -> None:
        """Begin at zero."""
        client: Any = optional_import("prometheus_client", "serve")
        self.registry = client.CollectorRegistry()
        self._client = client
        self.requests = client.Counter(
            "kerasfaces_requests",
            "Requests, by route and status.",
            ("route", "status"),
            registry=self.registry,
        )
        self.seconds = client.Histogram(
            "kerasfaces_request_seconds",
            "Seconds from a request's head to the end of its reply.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.verdicts = client.Counter(
            "kerasfaces_pictures",
            "Pictures, by verdict.",
            ("verdict",),
            registry=self.registry,
        )
        self.batch = client.Histogram(
            "kerasfaces_batch_pictures",
            "Arrays that the engine computed at a time.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self.pending = client.Gauge(
            "kerasfaces_pending_pictures",
            "Pictures that are accepted and not yet answered.",
            registry=self.registry,
        )

    def text(self) -> tuple[bytes, str]:
        """Return everything in Prometheus' text format, and its content type."""
        return (
            self._client.generate_latest(self.registry),
            self._client.CONTENT_TYPE_LATEST,
        )
