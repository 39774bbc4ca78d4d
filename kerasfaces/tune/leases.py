"""Which worker has which trial, and who was not heard for too long."""

import time


class Leases:
    """Trials that are with workers.

    Attributes:
        limit_s: How long a trial stays with a worker that does not report; None is for
            ever: the only worker is this process.
    """

    def __init__(self) -> None:
        self.limit_s: float | None = None
        self._held: dict[str, tuple[str, float]] = {}

    def __len__(self) -> int:
        """Return the number of trials with workers."""
        return len(self._held)

    def take(self, trial_id: str, worker: str) -> None:
        """Give a trial to a worker."""
        self._held[trial_id] = (worker, time.monotonic())

    def renew(self, trial_id: str) -> None:
        """Note that whoever has the trial is alive."""
        if trial_id in self._held:
            self.take(trial_id, self._held[trial_id][0])

    def end(self, trial_id: str) -> None:
        """Note that a trial is over, or taken back."""
        self._held.pop(trial_id, None)

    def of(self, worker: str) -> list[str]:
        """Return a worker's trials."""
        return [key for key, (holder, _) in self._held.items() if holder == worker]

    def holders(self) -> dict[str, str]:
        """Return worker -> trial."""
        return {holder: key for key, (holder, _) in self._held.items()}

    def expired(self) -> dict[str, str]:
        """Return the trials whose worker is silent, with the reason."""
        if self.limit_s is None:
            return {}
        now = time.monotonic()
        return {
            key: f"no word from {holder} for {self.limit_s:.0f} s"
            for key, (holder, seen) in self._held.items()
            if now - seen > self.limit_s
        }
