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

        def add(kind: Any, name: str, text: str, *labels: str, **more: Any) -> Any:
            name = f"kerasfaces_{name}"
            return kind(name, text, labels, registry=self.registry, **more)

        text = "Requests, by route and status."
        self.requests = add(client.Counter, "requests", text, "route", "status")
        text = "Seconds from a request's head to the end of its reply."
        seconds = {"buckets": _SECONDS}
        self.seconds = add(
            client.Histogram, "request_seconds", text, "route", **seconds
        )
        text = "Pictures, by verdict."
        self.verdicts = add(client.Counter, "pictures", text, "verdict")
        text = "Arrays that the engine computed at a time."
        self.batch = add(client.Histogram, "batch_pictures", text, buckets=_SIZES)
        text = "Pictures that are accepted and not yet answered."
        self.pending = add(client.Gauge, "pending_pictures", text)

    def text(self) -> tuple[bytes, str]:
        """Return everything in Prometheus' text format, and its content type."""
        return (
            self._client.generate_latest(self.registry),
            self._client.CONTENT_TYPE_LATEST,
        )
