"""One trial: a configuration's head, trained with every seed by `train`'s own loop."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, write_json
from kerasfaces.run import trials as records
from kerasfaces.run.trials import METRICS, Repeat, Result
from kerasfaces.train.examples import Examples
from kerasfaces.train.heads import Heads, head_logits, unusual_setting
from kerasfaces.train.loop import run_phase
from kerasfaces.train.phase import Rows
from kerasfaces.train.unseen import auc_unseen, families_of
from kerasfaces.tune.feature_sets import FeatureSets
from kerasfaces.tune.study import UNSEEN, column_of

if TYPE_CHECKING:
    import keras

    from kerasfaces.tune.tasks import Training  # it imports this module

_PROGRESS_S = 1.0  # between two notes of a running trial


class Trainer:
    """Trains heads one after another; graphs and features are used again."""

    def __init__(self, feature_sets: FeatureSets) -> None:
        self.feature_sets, self._heads = feature_sets, Heads()

    def train(self, training: "Training") -> Result:
        """Train a head with every seed; a candidate's own failure is a result too.

        Seeds after one that the median rule stopped are left out.

        Raises:
            KerasfacesError: The data cannot be used, which is wrong for every trial.
        """
        started = time.monotonic()
        repeats: Sequence[Repeat] = ()
        message = ""
        with ExitStack() as stack:
            folder = training.folder
            if not folder.is_dir():  # another machine's
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.feature_sets.data(training.config)
            try:
                repeats = self._repeats(training, folder)
            except InputError as error:
                message = str(error)
            except MemoryError:
                message = "Memory ran out."
            except Exception as error:
                if type(error).__name__ != "ResourceExhaustedError":
                    raise
                message = f"Memory ran out: {str(error).partition(chr(10))[0]}"
            elsewhere = training.seeds if folder != training.folder else ()
            return Result(
                repeats=repeats,
                message=message,
                seconds=time.monotonic() - started,
                checkpoints=records.checkpoints(folder, elsewhere),
            )

    def _repeats(self, training: "Training", folder: Path) -> list[Repeat]:
        if name := unusual_setting(training.config):
            raise InputError(
                f"{name}: a study trains plain heads on frozen bases by Adam, with a "
                "constant or cosine schedule; set it to its default in the study."
            )
        examples = self.feature_sets.features(training.config)
        note = _progress_file(training, folder)
        repeats: list[Repeat] = []
        for number, seed in enumerate(training.seeds):
            checkpoint = records.checkpoint_of(folder, seed)
            if seed in training.checkpoints and not checkpoint.exists():
                records.write_checkpoint(folder, seed, training.checkpoints[seed])
            repeats.append(self._repeat(training, number, examples, checkpoint, note))
            if repeats[-1].rows[-1].pop("stopped", False):
                break
        return repeats

    def _repeat(
        self,
        training: "Training",
        number: int,
        examples: Examples,
        checkpoint: Path,
        note: Callable[[int, Json], None],
    ) -> Repeat:
        """Train with the n-th seed (from 0)."""

        def stop(rows: Rows) -> bool:
            note(number, rows[-1])
            return number == 0 and _is_hopeless(rows, training)

        started = time.monotonic()
        config = dataclasses.replace(training.config, seed=training.seeds[number])
        head = self._heads.get(examples.width, config, examples.n_steps(config))
        phase = examples.phase(
            head.model,
            config,
            ready=head.epochs,
            callbacks=_tensorboard(training, number),
            epochs_now=training.epochs_now,
            stop=stop,
            keep=training.epochs_now is not None,
        )
        rows = run_phase(phase, checkpoint)
        best, patience = len(rows) - 1, config.patience
        if patience is not None:
            best = min(range(len(rows)), key=lambda i: rows[i]["val_loss"])
        waited = patience is not None and len(rows) - 1 - best >= patience
        # Stopped where training would have ended anyway, nothing is lost.
        is_whole = waited or len(rows) >= config.epochs
        is_whole = is_whole and number + 1 == len(training.seeds)
        unseen: Json = {}
        logits = head_logits(head.model, examples.val)
        weights = head.model.get_weights()
        if training.objective == UNSEEN:
            families, _ = families_of(*examples.fakes)
            judged = auc_unseen(config, examples, families, self._heads)
            logits = np.where(np.isfinite(judged.logits), judged.logits, logits)
            unseen = {UNSEEN: judged.objective, "unseen": judged.aucs}
        summary = {
            "seed": config.seed,
            "epochs": len(rows),
            "kept_epoch": rows[best]["epoch"],
            **{name: rows[best][name] for name in METRICS},
            **unseen,
            "engine": examples.engine,
            "seconds": round(time.monotonic() - started, 3),
            "stopped": "stopped" in rows[-1] and not is_whole,
        }
        kept = logits.astype(np.float32)
        return Repeat(summary=summary, rows=rows, logits=kept, weights=weights)


def _is_hopeless(rows: Rows, training: "Training") -> bool:
    """Tell whether the median rule stops a trial: its best value is beyond the limit."""
    limit = [None, *training.limits][: len(rows) + 1][-1]
    if limit is None:
        return False
    best = max(training.sign * float(row[training.objective]) for row in rows)
    return best < training.sign * limit


def _tensorboard(training: "Training", number: int) -> "list[keras.callbacks.Callback]":
    """Return the callbacks that write KerasTuner's folder per training."""
    if not training.tensorboard:
        return []
    import keras
    from tensorboard.plugins.hparams import api

    trial_id, values = training.trial_id, dict(training.values)
    logs = training.folder.parent / "tensorboard" / trial_id / f"execution{number}"
    return [
        keras.callbacks.TensorBoard(str(logs)),
        api.KerasCallback(writer=str(logs), hparams=values, trial_id=trial_id),
    ]


def _progress_file(training: "Training", folder: Path) -> Callable[[int, Json], None]:
    """Return what notes the last epoch of the n-th training in `progress.json` at times."""
    started = last = time.monotonic()
    n_trained = 0  # epochs; a continued trial's first ones were not

    def note(number: int, row: Json) -> None:
        nonlocal last, n_trained
        n_trained += 1
        now = time.monotonic()
        if now - last >= _PROGRESS_S:
            last = now
            progress = {
                "repeat": number + 1,
                "repeats": len(training.seeds),
                "epoch": row["epoch"],
                "epochs": training.epochs_now or training.config.epochs,
                "value": float(row[column_of(training.objective)]),
                "trained": n_trained,
                "seconds": round(now - started, 1),
            }
            write_json(folder / "progress.json", progress)

    return note
