import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError
from kerasfaces.manifest import groups, split
from kerasfaces.manifest.balance import quotas

RATIOS = [(5, 1, 1), (80, 10, 10), (80, 20), (1, 1, 1), (3, 0, 1)]


def table(n, n_sources=3, **columns):
    label = np.where(np.arange(n) % 2, "fake", "real")
    rows = {
        "path": [f"{i}.jpg" for i in range(n)],
        "label": label,
        "source": [f"{each}-{i % n_sources}" for i, each in enumerate(label)],
        "split": "",
        **columns,
    }
    return pd.DataFrame(rows, dtype=str)


def assign(rows, tmp_path="/nowhere", **options):
    manifest = manifests.Manifest(rows, tmp_path)
    return split.assign(manifest, **{"near_duplicates": None, **options})


@st.composite
def grouped_rows(draw):
    n = draw(st.integers(30, 120))
    columns = {}
    for name, most in (("pair_id", 4), ("identity", 6)):
        if draw(st.booleans()):
            size = draw(st.integers(1, most))
            share = draw(st.floats(0, 1))
            known = draw(st.randoms(use_true_random=False))
            columns[name] = [
                f"{name}{i // size}" if known.random() < share else "" for i in range(n)
            ]
    if draw(st.booleans()):
        columns["sha256"] = [f"{i // draw(st.just(3)):064x}" for i in range(n)]
    return table(n, draw(st.integers(1, 4)), **columns)


def assign_or_reject(rows, **how):
    """Skip the rare example whose rows hang together as fewer groups than splits."""
    try:
        return assign(rows, **how)
    except InputError as error:
        if "cannot be split into" not in str(error):
            raise
        reject()


@given(grouped_rows(), st.sampled_from(RATIOS), st.integers(0, 3))
@settings(deadline=None, max_examples=40)
def test_groups_whole_shares_near_and_deterministic(rows, ratio, seed):
    result = assign_or_reject(rows, ratio=ratio, seed=seed)
    splits = result.manifest.rows["split"]
    names = ("train", "test") if len(ratio) == 2 else ("train", "val", "test")
    wanted = {name for name, share in zip(names, ratio, strict=True) if share}
    assert set(splits) == wanted
    for rule in ("sha256", "pair_id", "identity"):
        if rule in rows:
            known = rows[rows[rule] != ""]
            assert (splits[known.index].groupby(known[rule]).nunique() == 1).all()
    for label in ("real", "fake"):
        part = splits[rows["label"] == label]
        assert set(part) == wanted
        for name, share in zip(names, ratio, strict=True):
            off = (part == name).sum() - len(part) * share / sum(ratio)
            assert abs(off) <= result.largest_group + 3
    again = assign(rows, ratio=ratio, seed=seed).manifest.rows["split"]
    assert again.equals(splits)
    unchanged = [name for name in rows if name != "split"]
    assert result.manifest.rows[unchanged].equals(rows[unchanged])


@given(grouped_rows(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_order_of_rows_does_not_matter(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = rows.iloc[order].reset_index(drop=True)
    first = assign_or_reject(rows).manifest.rows.set_index("path")["split"]
    second = assign(shuffled).manifest.rows.set_index("path")["split"]
    assert first.sort_index().equals(second.sort_index())


@pytest.mark.parametrize("ratio", RATIOS)
def test_without_groups_every_stratum_is_exact(ratio):
    rows = table(707, 2)
    result = assign(rows, ratio=ratio)
    assert result.moved == dict.fromkeys((*groups.RULES, "balance"), 0)
    assert result.largest_group == 1
    done = result.manifest.rows
    for _, part in done.groupby(["label", "source"]):
        for name, share in zip(
            ("train", "test") if len(ratio) == 2 else ("train", "val", "test"),
            ratio,
            strict=True,
        ):
            exact = len(part) * share / sum(ratio)
            assert abs((part["split"] == name).sum() - exact) <= 1


def test_pairs_of_several_generators_stay_together_and_balanced():
    n = 210
    rows = pd.DataFrame(
        {
            "path": [f"{i}-{source}" for i in range(n) for source in "cgd"],
            "label": ["real", "fake", "fake"] * n,
            "source": ["cam", "gan", "diffusion"] * n,
            "split": "",
            "pair_id": [str(i) for i in range(n) for _ in range(3)],
        },
        dtype=str,
    )
    result = assign(rows)
    counts = pd.crosstab(result.manifest.rows["source"], result.manifest.rows["split"])
    assert (counts["train"] == 150).all()
    assert (counts["val"] == 30).all()
    assert result.moved["pair_id"] > 100
    assert result.n_groups["pair_id"] == n
    assert result.largest_group == 3


def test_seeds_differ():
    splits = [tuple(assign(table(60), seed=s).manifest.rows["split"]) for s in range(4)]
    assert len(set(splits)) == 4


def test_a_group_larger_than_a_split_goes_where_it_fits():
    identity = ["x"] * 60 + [""] * 40
    result = assign(table(100, 1, identity=identity))
    done = result.manifest.rows
    assert set(done["split"][:60]) == {"train"}
    assert result.largest_group == 60
    assert (done["split"].value_counts()[["val", "test"]] >= 12).all()


def test_near_duplicates_stay_together(tmp_path, picture):
    paths, labels = [], []
    for i in range(20):
        for copy, quality in enumerate((95, 60)):
            label = "real" if i % 2 else "fake"
            name = f"{i}-{copy}.jpg"
            picture(i, 64).save(tmp_path / name, quality=quality)
            paths.append(name)
            labels.append(label)
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    rows = pd.DataFrame(
        {
            "path": [*paths, "broken.jpg"],
            "label": [*labels, "real"],
            "source": [*labels, "real"],
            "split": "",
        },
        dtype=str,
    )
    manifest = manifests.Manifest(rows, tmp_path)
    result = split.assign(manifest)
    done = result.manifest.rows[:-1]
    stems = done["path"].str.partition("-")[0]
    assert (done["split"].groupby(stems).nunique() == 1).all()
    assert result.n_groups["near_duplicate"] == 20
    assert result.moved["near_duplicate"] > 0
    assert result.n_unreadable == 1
    assert (done["phash"].str.len() == 64).all()
    assert (done["width_px"] == "64").all()
    assert result.manifest.rows["phash"].iloc[-1] == ""
    off = split.assign(manifest, near_duplicates=None)
    assert off.moved["near_duplicate"] == 0
    # the hashes in the table are used again: the files may be gone
    gone = manifests.Manifest(result.manifest.rows, tmp_path / "gone")
    assert split.assign(gone).n_groups["near_duplicate"] == 20


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (table(9)[lambda t: t["label"] == "real"], "there is no fake image among 5"),
        (
            pd.concat([table(20)[lambda t: t["label"] == "real"], table(2)[1:]]),
            "1 fake image cannot be split into 3",
        ),
        (table(40, identity="one"), "20 real images in 1 groups"),
    ],
)
def test_too_few_of_a_class(rows, message):
    rows = rows.reset_index(drop=True).assign(path=[f"{i}" for i in range(len(rows))])
    with pytest.raises(InputError, match=message):
        assign(rows)


@pytest.mark.parametrize("text", ["", "5", "1:2:3:4", "a:b:c", "80-20", "5:1:x"])
def test_ratio_text_is_checked(text):
    with pytest.raises(InputError, match="expected train:val:test"):
        split.parse_ratio(text)


@pytest.mark.parametrize(
    "ratio", [(1,), (5, -1, 1), (0, 1, 1), (5, 0, 0), (1, np.nan, 1), (1, np.inf, 1)]
)
def test_ratio_numbers_are_checked(ratio):
    with pytest.raises(InputError, match="expected two or three numbers"):
        assign(table(30), ratio=ratio)


def test_ratio_texts():
    assert split.parse_ratio("5:1:1") == (5, 1, 1)
    assert split.parse_ratio("80/10/10") == (80, 10, 10)
    assert split.parse_ratio("80/20") == (80, 20)
    with pytest.raises(InputError, match=r"distance of 0\.\.24"):
        assign(table(30), near_duplicates=99)


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=8),
    st.sampled_from([(5 / 7, 1 / 7, 1 / 7), (0.8, 0.2), (0.8, 0.0, 0.2)]),
)
@settings(deadline=None)
def test_quotas_cover_and_a_stratum_is_off_by_less_than_two(sizes, shares):
    sizes, shares = np.array(sizes), np.array(shares)
    counts = quotas(sizes, np.arange(len(sizes)) % 2, shares)
    assert (counts.sum(axis=1) == sizes).all()
    assert (np.abs(counts - sizes[:, None] * shares) < 2).all()
    assert (counts[:, shares == 0] == 0).all()
