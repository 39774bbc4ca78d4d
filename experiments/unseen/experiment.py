"""Ours: leave-one-family-out: what each change brings on generators that are new.

For every family of fakes a head is trained without it and asked about it; every variant on
the same splits (3:1:1). One variant is chosen for all families by validation, where heads
are asked about the family that they have not seen, never the best for each.
"""

import functools
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from experiments.framework.channel_stores import Stores
from experiments.framework.hours import clock
from experiments.framework.rows import NO_BUDGET, NO_WEIGHTS, Measured, Row, not_run
from experiments.framework.runner import Context, Outcome
from experiments.unseen import leaving_out, pairs, selection, tuning
from experiments.unseen.configurations import (
    BASELINE,
    NOISE_PX,
    RATIO,
    Variant,
    variants,
)
from experiments.unseen.heads import Heads
from kerasfaces import metrics
from kerasfaces.manifest import Manifest
from kerasfaces.metrics import System
from kerasfaces.models.weights import BaseWeights

logger = logging.getLogger("kerasfaces.experiments")

MODELS = ("mobilenetv2", "efficientnet_lite0")
SEEDS = (0, 1, 2, 3, 4)
DOCUMENT_DATA = ""
AVERAGED = "mean chosen on validation"
ALARMS = "false alarms"
METRICS: dict[str, Callable[[Heads, str], float]] = {
    "auc": Heads.auc,
    "found at 1 % false alarms": Heads.recall,
    ALARMS: Heads.false_alarms,
    "found at one threshold": Heads.recall_at_one,
}
MEAN, WORST = "mean of the families", "worst family"
CAMERA, CALIBRATED = "flagged", "flagged, threshold from 100 of its photos"
GROUPINGS = {
    "": "each generator a family",
    ", StyleGANs merged": "StyleGANs one family",
}
TITLES = {
    f"{table}{ending}": f"{title}; {grouping}"
    for ending, grouping in GROUPINGS.items()
    for table, title in (
        ("chosen", "The variant that validation chose, on each family left out"),
        ("cameras", "Photos of a camera left out that lie above the 1 % threshold"),
        ("variants", "Every variant, one change at a time: means over families"),
        ("differences", "AUC minus the baseline's, paired on the same test images"),
        ("validation", "AUC on validation, from which one variant is chosen for all"),
    )
}
Results = dict[str, dict[int, Heads]]


def run(context: Context) -> Outcome:
    """Train every variant without each family, on every split, in both groupings."""
    reason = context.missing_weights("mobilenetv2")
    if reason:
        left = list(not_run("chosen", (MEAN, WORST), list(METRICS), NO_WEIGHTS))
        return Outcome(rows=left, weights={"mobilenetv2": NO_WEIGHTS}, notes=[reason])
    native = "original_sha256" not in context.manifest.rows
    planned = variants(context, native=native)
    notes: list[str] = []
    ready: dict[str, tuple[Variant, BaseWeights]] = {}
    for name, variant in planned.items():
        model = variant.config.model.name
        why = context.missing_weights(model)
        if why:
            notes.append(f"{name}, {NO_WEIGHTS}: {why}")
        else:
            ready[name] = leaving_out.resolved(variant, context.weights[model])
    weights = {
        variant.config.model.name: base.describe() for variant, base in ready.values()
    }
    rows: list[Row] = []
    generated = functools.cache(functools.partial(_generated, context, notes))
    with clock(context.folder):
        stores = Stores(context, NOISE_PX)
        merges = leaving_out.merges(context.manifest)
        results: dict[str, Results] = {
            ending: {name: {} for name in ready}
            for ending in GROUPINGS
            if merges or not ending
        }
        _train(context, ready, generated, stores, results)
    for ending, by_name in results.items():
        rows += _rows(context, by_name, ready, ending, notes)
    return Outcome(rows=rows, weights=weights, notes=notes)


def _train(
    context: Context,
    planned: Mapping[str, tuple[Variant, BaseWeights]],
    generated: Callable[[], Manifest],
    stores: Stores,
    results: Mapping[str, Results],
) -> None:
    """Train one variant after the other, each in every grouping on every split."""
    for name, (variant, base) in planned.items():
        for ending, seed in itertools.product(results, variant.of(context.seeds)):
            slug = name.replace(" ", "_").replace(",", "")
            group = "merged" if ending else "own"
            file = context.folder / "heads" / group / f"{slug}-{seed}.npz"
            if file.exists():
                results[ending][name][seed] = leaving_out.read(file)
                continue
            if not context.can_start():
                continue
            split = context.split(RATIO, seed)
            split = leaving_out.merged(split) if ending else split
            logger.info("%s%s, split seed %d", name, ending, seed)
            if variant.config.unfreeze:
                results[ending][name][seed] = tuning.tune(
                    context, variant, split, generated(), seed, file
                )
                continue
            images = pairs.joined(split, generated()) if variant.pairs else split
            results[ending][name][seed] = leaving_out.leave_out(
                variant,
                images,
                base,
                file,
                stores.folder("none", ("lnp",)) if variant.noise else None,
                cameras=not ending,  # they do not depend on families
            )


def _rows(
    context: Context,
    results: Results,
    planned: Mapping[str, tuple[Variant, BaseWeights]],
    ending: str,
    notes: list[str],
) -> Iterator[Row]:
    whole = {
        name: by_seed
        for name, by_seed in results.items()
        if len(by_seed) == len(planned[name][0].of(context.seeds))
    }
    left = [name for name in planned if name not in whole]
    yield from not_run(f"variants{ending}", left, ("mean auc",), NO_BUDGET)
    several = {name: each for name, each in whole.items() if planned[name][0].averages}
    names = selection.select(several)
    if len(names) > 1:
        whole[AVERAGED] = selection.mean(several, names)
        notes.append(f"The {AVERAGED}{ending}: {'; '.join(names)}.")
    if whole:
        yield from _tables(whole, ending, notes)


def _generated(context: Context, notes: list[str]) -> Manifest:
    """Make the pairs; say which kinds are missing."""
    every, missing = pairs.generated(context)
    notes += missing
    return every


def _tables(results: Results, ending: str, notes: list[str]) -> Iterator[Row]:
    objectives = {
        name: float(np.mean([each.objective for each in by_seed.values()]))
        for name, by_seed in results.items()
    }
    best = max(objectives, key=lambda name: objectives[name])
    notes.append(
        f"Chosen on validation for all families{ending}: {best} (mean AUC of families left "
        f"out {objectives[best]:.3f})."
    )
    yield from _chosen(results[best], f"chosen{ending}")
    yield from _cameras(results[best], f"cameras{ending}")
    for name, by_seed in results.items():
        for metric, values in _summary(by_seed).items():
            yield Row(table=f"variants{ending}", row=name, metric=metric, ours=values)
        objective = {
            seed: Measured(value=each.objective, n=len(each.fake["val"]))
            for seed, each in by_seed.items()
        }
        yield Row(
            table=f"validation{ending}",
            row=name,
            metric="val_auc_unseen",
            split="val",
            ours=objective,
        )
        if name != BASELINE and BASELINE in results:
            yield from _differences(by_seed, results[BASELINE], name, ending)


def _chosen(by_seed: Mapping[int, Heads], table: str) -> Iterator[Row]:
    for family in next(iter(by_seed.values())).names:
        for metric in METRICS:
            values = {
                seed: Measured(
                    value=METRICS[metric](each, family), n=each.count(family)
                )
                for seed, each in by_seed.items()
            }
            yield Row(table=table, row=family, metric=metric, ours=values)
    for metric, values in _summary(by_seed).items():
        line, _, name = metric.partition(" ")
        row = MEAN if line == "mean" else WORST
        yield Row(table=table, row=row, metric=name, ours=values)


def _cameras(by_seed: Mapping[int, Heads], table: str) -> Iterator[Row]:
    """Yield how many photos of a camera are flagged that training has not seen."""
    for camera in sorted(next(iter(by_seed.values())).cameras):
        by_metric: dict[str, dict[int, Measured]] = {CAMERA: {}, CALIBRATED: {}}
        for seed, heads in by_seed.items():
            each = heads.cameras[camera]
            for metric, flagged in (
                (CAMERA, each.flagged),
                (CALIBRATED, each.flagged_calibrated()),
            ):
                share = metrics.rate(int(flagged.sum()), len(flagged))
                by_metric[metric][seed] = Measured.of(share.to_dict(), len(flagged))
        for metric, values in by_metric.items():
            yield Row(table=table, row=camera, metric=metric, ours=values)


def _summary(by_seed: Mapping[int, Heads]) -> dict[str, dict[int, Measured]]:
    """Return `mean METRIC` and `worst METRIC` over families, by seed."""
    every: dict[str, dict[int, Measured]] = {}
    for metric in METRICS:
        worst = np.max if metric == ALARMS else np.min
        for line, reduce in (("mean", np.mean), ("worst", worst)):
            every[f"{line} {metric}"] = {
                seed: Measured(
                    value=float(reduce([METRICS[metric](each, f) for f in each.names])),
                    n=sum(map(each.count, each.names)),
                )
                for seed, each in by_seed.items()
            }
    return every


def _differences(
    by_seed: Mapping[int, Heads], baseline: Mapping[int, Heads], name: str, ending: str
) -> Iterator[Row]:
    """Yield, per family, the AUC against all reals minus the baseline's."""
    for family in next(iter(by_seed.values())).names:
        values = {}
        for seed, heads in by_seed.items():
            systems = {}
            for key, each in (("new", heads), (BASELINE, baseline[seed])):
                logits, threshold = each.logits["test"][family], each.threshold(family)
                fake = each.fake["test"]
                shown = ~fake | (each.families["test"] == family)
                above = (logits > threshold)[shown]
                systems[key] = System(logits[shown], above, above)
            difference = metrics.differences(fake[shown], systems, BASELINE)["new"]
            entry = difference["auc"].to_dict()
            measured = Measured.of(entry, int(shown.sum()))
            values[seed] = measured
        yield Row(
            table=f"differences{ending}",
            row=f"{name}, {family}",
            metric="auc difference",
            ours=values,
        )
