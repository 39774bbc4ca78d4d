"""A finished run as a service: pictures by HTTP -> the answers of `kerasfaces predict`.

    server -> envelope (ids, token, logs, metrics) -> application -> body -> judge -> batching

`application.create` returns the application, which uvicorn (`server`) or Ray Serve
(`on_ray`) runs. Nothing of a picture is written to disk or into a log.
"""
