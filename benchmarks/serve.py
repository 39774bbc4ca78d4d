"""The service under 32 clients on this machine, which share its cores.

Clients are threads of another process, each with a connection that stays open; every
request is one JPEG of the sample, whose verdict alone is asked for. The engine's own rate
is that of batches of 32 in the serving process before it serves. Memory is the resident
size of the serving process.
"""

import contextlib
import http.client
import logging
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.framework import runs, timing

logger = logging.getLogger("kerasfaces.benchmarks")
CLIENTS = 32
REQUESTS, WARM, ROUND = 10_000, 1000, 1000
BATCH = 32
P95_S = 1.0  # bound of the 95th percentile
GROWTH = 1.1  # of memory between the first thousand requests and the last


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the rows."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["KERASFACES_CACHE"] = str(root / "cache")
        folder, files = runs.small(root)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context) as process:
            return process.submit(_measure, folder, files, quick).result()


def _measure(folder: Path, files: list[Path], quick: bool) -> list[dict[str, Any]]:
    import psutil

    with _served(folder) as (judge, port):
        data = [file.read_bytes() for file in files[:BATCH]]
        n_round, n_all = (64, 128) if quick else (ROUND, REQUESTS)
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context) as clients:

            def ask(count: int) -> tuple[float, list[float]]:
                return clients.submit(_ask, port, data, count).result()

            _engine_rate(judge, files)  # its arena grows to its largest batch
            ask(n_round)
            memory = psutil.Process().memory_info
            first = memory().rss
            shares, batched, latencies = [], [], []
            for _ in range(2 if quick else 5):
                rate, seconds = ask(n_round)
                shares.append(rate / _engine_rate(judge, files))
                latencies += seconds
                judge._detector.batch = 1
                batched.append(rate / ask(n_round)[0])
                judge._detector.batch = BATCH
            ask(n_all)
            growth = memory().rss / first
    p95 = statistics.quantiles(latencies, n=20)[-1]
    return [
        timing.row(
            "serve_rate",
            shares,
            0.5,
            f"images/s for {CLIENTS} clients / the engine's own in batches of {BATCH}",
        ),
        timing.row(
            "serve_batching",
            batched,
            1.0,
            "images/s with batches across requests / one picture at a time",
        ),
        timing.row(
            "serve_p95",
            [P95_S / p95],
            1.0,
            f"{P95_S} s / 95th percentile of a reply, {CLIENTS} clients",
        ),
        timing.row(
            "serve_memory",
            [GROWTH / growth],
            1.0,
            f"{GROWTH} / resident memory after {n_all + 11 * n_round:,} requests / after "
            f"{n_round:,}",
        ),
    ]


@contextlib.contextmanager
def _served(folder: Path) -> Any:
    """Serve the run in a thread of this process."""
    from kerasfaces.serve.http import server
    from kerasfaces.serve.http.judge import Judge
    from kerasfaces.serve.http.settings import Settings

    judge = Judge.open(Settings(run=folder, keras=False))
    listening = server.listen("127.0.0.1", 0)
    uvicorn = server.server_of(judge)
    thread = threading.Thread(target=uvicorn.run, args=([listening],))
    thread.start()
    try:
        yield judge, listening.getsockname()[1]
    finally:
        uvicorn.should_exit = True
        thread.join()


def _engine_rate(judge: Any, files: list[Path]) -> float:
    """Return images/s of the engine alone, pixels prepared."""
    import numpy as np

    from kerasfaces import images

    detector = judge._detector._detector
    spec = detector.input_spec
    pixels = np.stack([images.load_array(file, spec) for file in files[:BATCH]])
    seconds = [timing.elapsed_s(lambda: detector.logits(pixels)) for _ in range(8)]
    return BATCH / statistics.median(seconds)


def _ask(port: int, data: list[bytes], count: int) -> tuple[float, list[float]]:
    """Return images/s and each reply's seconds; a status other than 200 is an error."""
    local = threading.local()

    def one(number: int) -> float:
        if not hasattr(local, "link"):
            local.link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        started = time.perf_counter()
        body, headers = data[number % len(data)], {"Content-Type": "image/jpeg"}
        local.link.request("POST", "/v1/predict?quick=true", body, headers)
        reply = local.link.getresponse()
        content = reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{reply.status}: {content[:200]!r}")
        return time.perf_counter() - started

    with ThreadPoolExecutor(CLIENTS) as pool:
        started = time.perf_counter()
        seconds = list(pool.map(one, range(count)))
        return count / (time.perf_counter() - started), seconds
