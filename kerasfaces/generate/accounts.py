"""What requests to a paid service cost: a ledger in the folder of the fakes.

A request is entered before it is sent and taken out again only when the service says that it
did nothing. One whose answer never came stays in: it may have been billed. So the sum never
goes beyond the budget, whenever the process is killed.
"""

import csv
import datetime
import json
import os
from pathlib import Path
from typing import Any

from filelock import FileLock

from kerasfaces.core.errors import ImageError, InputError

PRICES_FILE = Path(__file__).with_name("prices.json")
LEDGER_FILE = "costs.csv"
_COLUMNS = ("time", "request", "usd", "outcome")
ASKED, ANSWERED, NOT_BILLED = "asked", "answered", "not billed"


def price_usd(model: str, quality: str, side_px: int) -> float:
    """Return the price of a request by our table.

    Args:
        model: Name of the service's model.
        quality: Where the model has several.
        side_px: Side of the picture that comes back.

    Raises:
        InputError: The table has no such model or size.
    """
    table = prices()["usd"]
    entry = table.get(model) or table.get(f"{model} {quality}") or {}
    if str(side_px) not in entry:
        known = [f"{name}: {', '.join(sizes)} px" for name, sizes in table.items()]
        raise InputError(
            f"There is no price for {model} at side_px={side_px}; known: "
            f"{'; '.join(known)}."
        )
    return float(entry[str(side_px)])


def prices() -> Any:
    """Return the table of prices, with its date and source."""
    return json.loads(PRICES_FILE.read_text(encoding="utf-8"))


class Ledger:
    """Costs of one folder, shared by the processes that write it."""

    def __init__(self, folder: Path, budget_usd: float) -> None:
        """Keep the accounts of `folder` within a budget."""
        self._file, self._budget_usd = folder / LEDGER_FILE, budget_usd

    def ask(self, request: str, usd: float) -> None:
        """Enter a request before it is sent.

        Raises:
            ImageError: It would go beyond the budget.
        """
        with self._locked():
            spent = self.spent_usd()
            if spent + usd > self._budget_usd + 1e-9:
                raise ImageError(
                    f"the budget of ${self._budget_usd:.2f} is used up (${spent:.2f} spent)"
                )
            self._append(request, usd, ASKED)

    def close(self, request: str, usd: float, *, billed: bool) -> None:
        """Enter what became of a request; one that was not billed is taken out again."""
        with self._locked():
            outcome = ANSWERED if billed else NOT_BILLED
            self._append(request, 0 if billed else -usd, outcome)

    def spent_usd(self) -> float:
        """Return the sum, requests without an answer included.

        Raises:
            InputError: The ledger is damaged.
        """
        return sum(float(row[2]) for row in self._rows())

    def n_answered(self) -> int:
        """Return the number of requests that brought something."""
        return [row[3] for row in self._rows()].count(ANSWERED)

    def n_unanswered(self) -> int:
        """Return the number of requests of which no end is known."""
        outcomes = [row[3] for row in self._rows()]
        return 2 * outcomes.count(ASKED) - len(outcomes)

    def _rows(self) -> list[list[str]]:
        if not self._file.exists():
            return []
        with self._file.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
        try:
            if tuple(header) != _COLUMNS:
                raise ValueError(f"its columns are {', '.join(header) or 'missing'}")
            for row in rows:
                float(row[2]), row[3]
        except (ValueError, IndexError) as error:
            raise InputError(
                f"{self._file} is damaged ({error}): what was spent is not known; restore "
                "it, or generate into another folder."
            ) from error
        return rows

    def _append(self, request: str, usd: float, outcome: str) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        is_new = not self._file.exists()
        with self._file.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(_COLUMNS)
            writer.writerow((now, request, f"{usd:.4f}", outcome))
            file.flush()
            os.fsync(file.fileno())

    def _locked(self) -> FileLock:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self._file.with_name(f".{LEDGER_FILE}.lock"))
