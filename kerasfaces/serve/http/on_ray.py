"""The same application on Ray Serve: replicas, autoscaling and routing are Ray's."""

import threading
from collections.abc import Callable
from typing import Any

from kerasfaces.core import interruptions
from kerasfaces.core.engine import cluster
from kerasfaces.core.imports import optional_import
from kerasfaces.serve.http.settings import Settings

NAME = "kerasfaces"
_TICK_S = 0.5


def build(settings: Settings) -> Any:
    """Return the application of a replica, which opens the run itself."""
    from kerasfaces.serve.http import application, envelope
    from kerasfaces.serve.http.judge import Judge

    envelope.log_to_stderr()
    return application.create(Judge.open(settings))


def deployment(settings: Settings, replicas: tuple[int, int]) -> Any:
    """Return the application for `ray.serve.run`, with so many replicas at least and most."""
    serve: Any = optional_import("ray.serve", "serve-ray")
    least, most = replicas
    options: dict[str, Any] = {
        "name": NAME,
        "max_ongoing_requests": settings.queue,
        "graceful_shutdown_timeout_s": settings.answer_s,
    }
    if least < most:
        options["autoscaling_config"] = {"min_replicas": least, "max_replicas": most}
    else:
        options["num_replicas"] = most

    class Replica:
        """One copy of the service."""

    def application() -> Any:  # built in the replica, where it opens the run
        return build(settings)

    ingress = serve.ingress(application)(Replica)
    return serve.deployment(**options)(ingress).bind()


def run(
    settings: Settings,
    host: str,
    port: int,
    replicas: tuple[int, int],
    address: str,
    announce: Callable[[str], None],
) -> None:
    """Serve on a Ray cluster, or on one that starts here, until a signal ends it."""
    serve: Any = optional_import("ray.serve", "serve-ray")
    ended = threading.Event()
    with cluster.connected(address):
        serve.start(http_options={"host": host, "port": port})
        serve.run(deployment(settings, replicas), name=NAME)
        announce(f"http://{host}:{port}")
        with interruptions.answered_by(lambda number, frame: ended.set()):
            while not ended.wait(_TICK_S):  # an endless wait would hear no signal
                pass
            serve.delete(NAME)
            serve.shutdown()
