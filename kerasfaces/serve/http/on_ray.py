"""The same application on Ray Serve: replicas, autoscaling and routing are Ray's."""

import functools
from collections.abc import Callable
from typing import Any

from kerasfaces.core.imports import optional_import
from kerasfaces.serve.http.settings import Settings

NAME = "kerasfaces"


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

    ingress = serve.ingress(functools.partial(build, settings))(Replica)
    return serve.deployment(**options)(ingress).bind()


def run(
    settings: Settings,
    host: str,
    port: int,
    replicas: tuple[int, int],
    address: str,
    told: Callable[[str], None],
) -> None:
    """Serve on a Ray cluster, or on one that starts here, until a signal ends it."""
    ray: Any = optional_import("ray", "serve-ray")
    serve: Any = optional_import("ray.serve", "serve-ray")
    ray.init(address=address or None, ignore_reinit_error=True, log_to_driver=True)
    serve.start(http_options={"host": host, "port": port})
    serve.run(deployment(settings, replicas), name=NAME)
    told(f"http://{host}:{port}")
    try:
        serve.run(deployment(settings, replicas), name=NAME, blocking=True)
    finally:
        serve.shutdown()
