"""What was measured of an attribute -> sentences that stay true when they are quoted.

Each carries its n and its interval. A gap is called one where its corrected p-value and its
interval agree; there is no word for why, and none for groups that were not compared.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.core.texts import listed, plain, shortened
from kerasfaces.evaluate import names
from kerasfaces.evaluate.attribute_rates import MOST_GROUPS
from kerasfaces.evaluate.group_errors import RATES, is_known
from kerasfaces.evaluate.groups import LEAST
from kerasfaces.evaluate.slices import CROSS
from kerasfaces.report.markup import p_text

_IMAGES = {"false_alarm_rate": "real images", "miss_rate": "fake images"}
_ERROR = {"false_alarm_rate": "called fake", "miss_rate": "called real"}
NOUNS = {"false_alarm_rate": "false-alarm rate", "miss_rate": "miss rate"}
_LISTED = 4  # groups whose rates are spelt out
_WIDTH = 40  # characters of a class's name
LIMITS = (
    "These are the errors of one detector at one threshold on these images. They do not say "
    "why groups differ or agree, and other images may give other numbers."
)


def title(column: str) -> str:
    """Return an attribute, or a pair of them, as a reader says it."""
    return " × ".join(map(names.group_name, column.split(CROSS)))


def quotes(column: str, content: Json) -> list[str]:
    """Return one sentence or two for each kind of error, fit to be quoted."""
    groups, name = content["groups"], title(column)
    groups = {_class_name(value): group for value, group in groups.items()}
    if not groups:
        n = content["n_groups"] - content["n_too_small"]
        if n > MOST_GROUPS:
            return [
                f"{name} has {n:,} classes, more than {MOST_GROUPS}: they are not compared. "
                "Merge some of them."
            ]
        return [f"No group of {name} has enough readable images to be measured."]
    if len(groups) == 1:
        ((value, group),) = groups.items()
        return [
            f"Every image with a label is {value} ({group['n_real']:,} real, "
            f"{group['n_fake']:,} fake): there is nothing to compare it with."
        ]
    return [
        sentence
        for key in RATES
        if (sentence := _rates(groups, key, name, content["n_tests"]))
    ]


def notes(column: str, content: Json) -> list[str]:
    """Return what one must know beside the quotes: labels, sizes, sources, power."""
    sentences = [content["labels"]] if content["groups"] else []
    unlabelled = content["unlabelled"]
    if n := sum(unlabelled.values()):
        sentences.append(
            f"{n:,} readable image{' has' if n == 1 else 's have'} no label for "
            f"{title(column)} ({unlabelled['real']:,} real, {unlabelled['fake']:,} fake) and "
            f"{'is' if n == 1 else 'are'} in no group."
        )
    if n := content["n_too_small"]:
        sentences.append(
            f"{n:,} of {content['n_groups']:,} combinations have too few images to be "
            "measured and are left out."
        )
    if len(content["groups"]) < 2:
        return sentences
    sentences += [*_uncompared(content), *_needed(content)]
    return [*sentences, LIMITS]


def _class_name(value: str) -> str:
    return shortened(plain(value), _WIDTH)


def gap_of(group: Json, key: str) -> Json | None:
    """Return the gap that counts: with the annotator's errors allowed for, if known."""
    for where in ("corrected_gaps", "gaps"):
        if key in group.get(where, {}):
            gap: Json = group[where][key]
            return gap
    return None


def is_gap(gap: Json) -> bool:
    """Tell whether a gap is more than chance: its p-value and its interval say so."""
    return bool(gap["distinguishable"]) and not gap["low"] <= 0 <= gap["high"]


def points(gap: Mapping[str, float]) -> str:
    """Return a gap in points with its interval."""
    value, low, high = (100 * gap[key] for key in ("value", "low", "high"))
    return f"{value:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"


def _rates(groups: Json, key: str, name: str, n_tests: int) -> str:
    there = {value: group for value, group in groups.items() if is_known(group[key])}
    if not there:
        kind = _IMAGES[key].removesuffix(" images")
        return f"No {kind} image has a label for {name}: nothing is known of its {NOUNS[key]}."
    shown = sorted(there, key=lambda value: float(there[value][key]["value"]))
    if len(shown) > _LISTED:
        shown = [shown[0], shown[-1]]
    lines = [
        _share(value, there[value], key, first=value == shown[0]) for value in shown
    ]
    between = (
        "; the highest of the other groups: of " if len(there) > _LISTED else "; of "
    )
    opening = "Lowest: of " if len(there) > _LISTED else "Of "
    return f"{opening}{between.join(lines)}. {_verdict(there, key, n_tests)}"


def _share(value: str, group: Json, key: str, *, first: bool) -> str:
    estimate, n = group[key], group[f"n_{RATES[key]}"]
    what = f"{n:,} {_IMAGES[key] if first else ''}".strip()
    be = "was" if estimate["wrong"] == 1 else "were"
    text = (
        f"{what} labelled {value}, {estimate['wrong']:,} "
        f"{f'{be} {_ERROR[key]}' if first else ''}".rstrip()
    )
    shares = [100 * estimate[part] for part in ("value", "low", "high")]
    text += f" ({shares[0]:.1f} %; 95 % interval {shares[1]:.1f} to {shares[2]:.1f} %"
    if key in group.get("corrected", {}):
        corrected = [
            100 * group["corrected"][key][part] for part in ("value", "low", "high")
        ]
        text += (
            f"; with wrong labels allowed for, {corrected[0]:.1f} %, {corrected[1]:.1f} to "
            f"{corrected[2]:.1f} %"
        )
    return f"{text})"


def _verdict(groups: Json, key: str, n_tests: int) -> str:
    gaps = {
        value: gap for value, group in groups.items() if (gap := gap_of(group, key))
    }
    if not gaps:
        return f"They are not compared: a group has fewer than {LEAST} images."
    tests = f"corrected for {n_tests} comparisons" if n_tests > 1 else "one comparison"
    if len(groups) == 2:
        first, second = groups
        gap = gaps[first]
        shown = (
            f"{first} minus {second}: {points(gap)}, p {p_text(gap['p_holm'])}, {tests}"
        )
        if not is_gap(gap):
            return f"{shown}. {_not_apart(gap)}"
        inside = _inside_sources(groups[first], key)
        return f"{shown}{inside}. That is more than chance explains."
    apart = {value: gap for value, gap in gaps.items() if is_gap(gap)}
    if not apart:
        least = min(gap["p_holm"] for gap in gaps.values())
        return (
            f"No group's {NOUNS[key]} can be told from that of the others in these images "
            f"(smallest p {p_text(least)}, {tests})."
        )
    shown = "; ".join(
        f"{value} minus the others: {points(gap)}, p {p_text(gap['p_holm'])}"
        f"{_inside_sources(groups[value], key)}"
        for value, gap in apart.items()
    )
    rest = len(gaps) - len(apart)
    others = "The other group" if rest == 1 else f"The other {rest} groups"
    more = f" {others} cannot be told from the rest." if rest else ""
    return f"More than chance explains ({tests}): {shown}.{more}"


def _not_apart(gap: Json) -> str:
    if gap["low"] <= 0 <= gap["high"]:
        return "These images cannot tell the two groups apart."
    return (
        "After that correction, which the interval is without, these images cannot tell the "
        "two groups apart."
    )


def _inside_sources(group: Json, key: str) -> str:
    """Return what is left of a gap where both sides come from the same source."""
    inside = group.get("within_sources", {}).get(key)
    if inside is None:
        return ""
    if not is_known(inside):
        return "; as no source has images of both, it may be a gap between sources"
    shown = f"; between images of the same source, as labelled, {points(inside)}"
    if inside["low"] <= 0 <= inside["high"]:
        shown += ", so that it may be a gap between sources"
    return shown


def _uncompared(content: Json) -> Iterator[str]:
    for key in RATES:
        few = [
            f"{_class_name(value)} ({group[f'n_{RATES[key]}']:,})"
            for value, group in content["groups"].items()
            if gap_of(group, key) is None
        ]
        if few and any(
            group[f"n_{RATES[key]}"] for group in content["groups"].values()
        ):
            yield (
                f"{len(few)} group{'' if len(few) == 1 else 's'} not compared by "
                f"{NOUNS[key]}, as it or the others have fewer than {LEAST} "
                f"{_IMAGES[key]}: {listed(few)}."
            )


def _needed(content: Json) -> Iterator[str]:
    for key, needed in content["needed_n"].items():
        enough = needed["smallest"] >= needed["needed"]
        yield (
            f"To see a gap of 5 points in the {NOUNS[key]} four times in five, each group "
            f"needs about {needed['needed']:,} {_IMAGES[key]}; the smallest compared, "
            f"{_class_name(needed['smallest_group'])}, has {needed['smallest']:,}"
            + (", which is enough." if enough else ".")
        )


def errors(content: Json) -> pd.DataFrame:
    """Return the rates of an attribute's groups, one row each; empty without any."""
    lines = {}
    for value, group in content.get("groups", {}).items():
        line = {key: group[key] for key in ("n_real", "n_fake")}
        line["accuracy"] = group["accuracy"]["value"]
        for key in NOUNS:
            gap = gap_of(group, key) or {}
            line |= {
                key: group[key]["value"],
                f"{key}_low": group[key]["low"],
                f"{key}_high": group[key]["high"],
                f"{key}_gap": gap.get("value"),
                f"{key}_gap_low": gap.get("low"),
                f"{key}_gap_high": gap.get("high"),
                f"{key}_p_holm": gap.get("p_holm"),
            }
        lines[value] = line
    return pd.DataFrame.from_dict(lines, orient="index")
