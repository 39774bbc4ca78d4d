"""One engine for everything that fans out: processes of this machine, or a Ray cluster.

A task is a function of one item; `map` runs it over many, in order, and `pool` takes items
as they come. Results are the same bytes on every engine: a task must depend on its item
alone. An error of a task is raised in the driver; a worker that dies (a crash, no memory, a
lost node) costs a new attempt, and after the last one the item's outcome names the reason.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeVar

from kerasfaces.core import machine
from kerasfaces.core import progress as progress_bars
from kerasfaces.core.engine.pools import InProcess, Pool
from kerasfaces.core.engine.tasks import Chunked, Outcome, Task, dumps
from kerasfaces.core.engine.workers import Workers
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

__all__ = ["NAMES", "Engine", "Outcome", "Pool", "Task", "map", "pool"]
Item = TypeVar("Item")
Result = TypeVar("Result")
Load = Callable[[Any], Any]

NAMES = ("local", "ray")
CHUNK = 16  # items at a time where one takes milliseconds
IN_FLIGHT = 3  # chunks per worker that are sent or wait to be yielded


@dataclass(frozen=True, kw_only=True)
class Engine:
    """How work is spread.

    Attributes:
        name: `local`, processes of this machine, or `ray`, a cluster.
        address: HOST:PORT of a Ray cluster; empty takes the environment's RAY_ADDRESS, or
            starts Ray on this machine for as long as it is used.
        workers: Upper limit of workers; None takes as many as fit (a process per core; a
            Ray actor per GPU or per 8 cores).
    """

    name: Literal["local", "ray"] = "local"
    address: str = ""
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise InputError(
                f"There is no engine {quoted(self.name)}; available: {', '.join(NAMES)}."
            )
        if self.workers is not None and self.workers < 1:
            raise InputError(f"workers is {self.workers}; expected at least 1.")
        if self.address and self.name != "ray":
            raise InputError(
                f"An address ({quoted(self.address)}) belongs to engine ray; name that engine, "
                "or leave the address out."
            )

    def or_in_process(self) -> "Engine":
        """Return this engine, or this process alone where no number of workers is given.

        For work that one process spreads over all cores by itself.
        """
        alone = self.name == "local" and self.workers is None
        return Engine(workers=1) if alone else self

    @property
    def in_process(self) -> bool:
        """Whether the driver's own process does the work."""
        return self.name == "local" and self.workers == 1


@contextmanager
def pool(
    task: Task[Item, Result],
    spread: Engine | None = None,
    *,
    retries: int = 1,
    label: str = "tasks",
    load: Load | None = None,
    apart: bool = False,
    keep: bool = False,
) -> Iterator[Pool[Item, Result]]:
    """Open workers that run one task on items as they are submitted.

    Args:
        task: A picklable object or module-level function; unpickled once per worker, so it
            may keep what it loads. Its method `close`, if it has one, is called at the end.
        spread: How work is spread; one local worker is this process itself.
        retries: Further attempts for an item whose worker died.
        label: Name of the work in messages, e.g. "decoding".
        load: Called with an item on the driver when it is sent; returns what the task gets.
        apart: Start a process for a single local worker, too: it takes its memory along
            and may crash alone.
        keep: Local processes may come from an earlier pool and serve a later one: for
            tasks that leave little behind in theirs.

    Raises:
        InputError: The cluster cannot be reached, or a node has another version.
        MissingExtraError: Ray is not installed.
        RunError: The cluster has no core that is free.
    """
    spread = spread or Engine()
    workers: Pool[Item, Result]
    with ExitStack() as stack:
        if spread.in_process and not apart:
            workers = InProcess(task, load=load)
        else:
            slots, instead = stack.enter_context(_slots(task, spread, keep))
            workers = Workers(
                slots, retries=retries, label=label, load=load, instead=instead
            )
        stack.callback(workers.close)
        yield workers


@contextmanager
def _slots(task: Any, spread: Engine, keep: bool) -> Iterator[tuple[list[Any], Any]]:
    """Yield workers that are not started, and what works instead if they cannot be."""
    if spread.name == "ray":
        from kerasfaces.core.engine import cluster

        with cluster.connected(spread.address) as ray:
            yield cluster.actors(ray, dumps(task), spread.workers), None
        return
    from kerasfaces.core.engine import local

    n_workers = spread.workers or machine.usable_cores()
    workers = local.processes(dumps(task), n_workers, keep)
    yield workers, lambda: local.ThisProcess(task)


def map(
    task: Task[Any, Result],
    items: Sequence[Item],
    *,
    spread: Engine | None = None,
    retries: int = 1,
    load: Load | None = None,
    progress: str | None = None,
    unit: str = "image",
    chunk: int = 1,
) -> Generator[Outcome[Result], None, None]:
    """Yield the outcome of `task(item)` for every item, in order.

    Only a few chunks per worker are in flight, so memory is bounded however many items
    there are. Close the iterator to end the workers early.

    Args:
        task: See `pool`.
        items: Arguments of the task, one each; pickled when sent.
        spread: See `pool`.
        retries: See `pool`.
        load: See `pool`.
        progress: What is being done, shown with the progress; None shows nothing.
        unit: Name of one item in the progress.
        chunk: Items a worker gets at a time: many where one takes milliseconds. Less than
            three chunks are then done in this process, faster than processes start; a
            chunk whose worker died is done again item by item.
    """
    spread = spread or Engine()
    if chunk > 1 and spread.name == "local" and len(items) < 3 * chunk:
        spread = Engine(workers=1)
    shown = progress_bars.progress(len(items), progress, unit) if progress else None
    label, chunked_load = progress or "tasks", None if load is None else Chunked(load)
    opened = pool(Chunked(task), spread, label=label, load=chunked_load, keep=chunk > 1)
    with shown or nullcontext(lambda n: None) as advance, opened as workers:
        for outcome in _in_order(workers, items, chunk, retries):
            yield outcome
            advance(1)


def _in_order(
    workers: Pool[Sequence[Item], list[Result]],
    items: Sequence[Item],
    chunk: int,
    retries: int,
) -> Iterator[Outcome[Result]]:
    starts = iter(range(0, len(items), chunk))
    sent: dict[int | str, range] = {}
    outcomes: dict[int, Outcome[Result]] = {}

    def send(positions: range, retries: int) -> None:
        key = positions.start if len(positions) > 1 else f"item {positions.start}"
        sent[key] = positions
        part = items[positions.start : positions.stop]
        workers.submit(key, part, retries=retries)

    def send_chunks(n_chunks: int) -> None:
        for start in islice(starts, n_chunks):
            positions = range(start, min(start + chunk, len(items)))
            send(positions, retries if len(positions) == 1 else 0)

    send_chunks(workers.n_workers * IN_FLIGHT)
    for position in range(len(items)):
        while position not in outcomes:
            done = workers.take()
            positions = sent.pop(done.key)
            if done.error and len(positions) > 1:
                for single in positions:
                    send(range(single, single + 1), max(0, retries - 1))
                continue
            for at in positions:
                value = done.value[at - positions.start] if done.value else None
                outcomes[at] = Outcome(at, value, done.error, done.exception)
        outcome = outcomes.pop(position)
        if outcome.exception is not None:
            raise outcome.exception
        yield outcome
        if position + 1 == len(items) or (position + 1) % chunk == 0:
            send_chunks(1)
