from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.manifest import recipe, split
from kerasfaces.manifest.attribute_quotas import quotas
from kerasfaces.manifest.attributes import Attributes
from kerasfaces.manifest.recipe_rows import assemble

FOLDER = Path(__file__).parents[2] / "data_manifests"
RECIPES = sorted(FOLDER.glob("*.toml"))

SMALL = """
name = "small"
title = "A small one"
about = "For the tests."
split = "1:1:1"
"""
REAL = """
[[source]]
name = "cam"
label = "real"
folders = ["real/cam_*"]
licence = "ours"
url = "nowhere"
"""
FAKE = """
[[source]]
name = "gan"
label = "fake"
folders = ["fake/gan"]
licence = "ours"
url = "nowhere"
"""


@pytest.fixture
def write(tmp_path):
    def to_file(text):
        path = tmp_path / "r.toml"
        path.write_text(text)
        return path

    return to_file


# The recipes of the documents


def test_one_recipe_per_document():
    names = {path.stem for path in RECIPES}
    assert names == {"wan2023", "tian2023", "mudgal2023", "yu2024", "kabber2023"}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_consistent(path):
    read = recipe.read(path)
    assert read.name == path.stem
    assert len(split.parse_ratio(read.split)) == 3  # training needs validation
    assert read.split_note
    for source in read.source:
        assert source.stated
        assert source.licence
        assert source.url
    for attribute, shares in read.shares().items():
        assert attribute.startswith("attr_")
        assert sum(shares.values()) == pytest.approx(1)
    readme = (FOLDER / "README.md").read_text()
    assert f"| `{read.name}` |" in readme


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_run_on_folders_named_as_they_say(path, tmp_path, picture, run):
    read = recipe.read(path)
    number = 0
    for source in read.source:
        folder = tmp_path / "data" / source.folders[0].replace("*", "")
        folder.mkdir(parents=True)
        for i in range(4):
            picture(number).save(folder / f"{i:05d}.jpg")
            number += 1
    code, out = run(
        "build", "--recipe", path, "--root", tmp_path / "data", "-o", tmp_path / "m.csv"
    )
    assert code == 0
    assert "missing" not in out
    rows = manifests.read(tmp_path / "m.csv").rows
    assert set(rows["source"]) == {source.name for source in read.source}
    assert set(rows["split"]) == {"train", "val", "test"}
    if read.equal_classes:
        assert rows["label"].value_counts().nunique() == 1
    if any(source.pair_by for source in read.source):
        assert (rows.groupby("pair_id")["split"].nunique() == 1).all()


# How recipes are read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not a readable TOML"),
        (SMALL, "missing 1 required keyword-only argument: 'source'"),
        (SMALL + REAL, "no fake source"),
        (SMALL + "colour = 1\n" + REAL + FAKE, "unknown key 'colour'"),
        (SMALL + REAL + FAKE + "want = 'many'\n", "expected int"),
        (SMALL + REAL + FAKE + "want = -1\n", "want >= 0"),
        (SMALL + REAL + FAKE + "follows = 'cam'\n", "follows without pair_by"),
        (SMALL + REAL + FAKE + "pair_by = 'stem'\nfollows = 'x'\n", "'x' is none of"),
        (SMALL + REAL + REAL + FAKE, "'cam' is listed twice"),
        (SMALL + REAL + FAKE.replace('"fake/gan"', '"/etc"'), "relative to `root`"),
        (SMALL.replace("1:1:1", "most") + REAL + FAKE, "expected train:val:test"),
        (SMALL + 'balance = ["cam"]\n' + REAL + FAKE, "balance without"),
        (
            SMALL + REAL + FAKE + "[[share]]\nattribute='a'\nvalue='b'\nshare=0.0\n",
            "share must be above 0",
        ),
    ],
)
def test_bad_recipes(write, text, message):
    with pytest.raises(InputError, match=message):
        recipe.read(write(text))


def test_missing_recipe_and_root(tmp_path, write, run):
    with pytest.raises(MissingFileError, match="does not exist"):
        recipe.read(tmp_path / "none.toml")
    path = write(SMALL + REAL + FAKE)
    with pytest.raises(MissingFileError, match="is no folder"):
        assemble(recipe.read(path), tmp_path / "none")
    with pytest.raises(InputError, match="needs --root"):
        run("build", "--recipe", path, "-o", tmp_path / "m.csv")
    (tmp_path / "real" / "cam_a").mkdir(parents=True)
    with pytest.raises(InputError, match="no real images of small: cam in real/cam_"):
        assemble(recipe.read(path), tmp_path)


def test_shortfalls_are_reported(write, folders, run, tmp_path):
    path = write(
        SMALL + REAL + "want = 10\n" + FAKE + "want = 9\n"
        + FAKE.replace("gan", "midjourney").replace("nowhere", "https://example.org")
    )  # fmt: skip
    code, out = run(
        "build", "--recipe", path, "--root", folders, "-o", tmp_path / "m.csv"
    )
    assert code == 0
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert lines["cam"][1:5] == ["real", "10", "14", "10"]
    assert lines["gan"][1:7] == ["fake", "9", "7", "7", "2", "short"]
    assert lines["midjourney"][1:] == [
        *["fake", "all", "0", "0", "missing", "https://example.org"]
    ]
    code, _ = run(
        "build",
        "--recipe",
        path,
        "--root",
        folders,
        "-o",
        tmp_path / "n.csv",
        "--no-split",
    )
    assert set(manifests.read(tmp_path / "n.csv").rows["split"]) == {""}


def test_equal_generators_and_classes(write, folders):
    for extra in range(3):
        source = folders / "fake" / "sd" / f"{extra}.jpg"
        source.unlink()
    text = "equal_generators = true\nequal_classes = true\n"
    path = write(SMALL + text + REAL + FAKE + FAKE.replace("gan", "sd"))
    manifest, report = assemble(recipe.read(path), folders)
    counts = manifest.rows["source"].value_counts().to_dict()
    assert counts == {"gan": 4, "sd": 4, "cam": 8}
    assert {each.source.name: each.n_available for each in report} == {
        "gan": 7,
        "sd": 4,
        "cam": 14,
    }
    again, _ = assemble(recipe.read(path), folders)
    assert again.rows.equals(manifest.rows)
    other, _ = assemble(recipe.read(write(path.read_text().replace(
        "1:1:1\"", "1:1:1\"\nseed = 5"))), folders)  # fmt: skip
    assert not other.rows.equals(manifest.rows)


def test_attributes_are_balanced_and_partners_follow(write, tmp_path):
    root = tmp_path / "data"
    lines = ["file_name,gender"]
    for i in range(40):
        for folder, name in (
            ("real/cam_a", f"{i:03d}.jpg"),
            ("fake/gan", f"{i:03d}_v.jpg"),
        ):
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / name).touch()
        lines.append(f"{i:03d}.jpg,{('man', 'male', 'woman', 'unknown')[i % 4]}")
    (tmp_path / "a.csv").write_text("\n".join(lines))
    shares = """
[[share]]
attribute = "attr_gender"
value = "man"
also = ["male"]
share = 0.5
[[share]]
attribute = "attr_gender"
value = "woman"
share = 0.52
"""
    pairs = "pair_by = 'stem'\npair_separator = '_'\n"
    path = write(
        SMALL + 'balance = ["cam"]\n' + REAL + "want = 16\n" + pairs + FAKE + pairs
        + "follows = 'cam'\n" + shares
    )  # fmt: skip
    read = recipe.read(path)
    assert read.shares()["attr_gender"]["woman"] == pytest.approx(0.52 / 1.02)
    manifest, _ = assemble(read, root, Attributes(tmp_path / "a.csv"))
    rows = manifest.rows
    real = rows[rows["source"] == "cam"]
    assert real["attr_gender"].isin(["man", "male"]).sum() == 8
    assert (real["attr_gender"] == "woman").sum() == 8
    fakes = rows[rows["source"] == "gan"]
    assert sorted(fakes["pair_id"]) == sorted(real["pair_id"])
    plain, _ = assemble(read, root)  # no attributes given: not balanced, and said so
    assert (plain.rows["source"] == "cam").sum() == 16


@given(
    st.lists(st.integers(0, 60), min_size=6, max_size=6),
    st.integers(1, 200),
    st.lists(st.floats(0.05, 1), min_size=2, max_size=2),
)
def test_quotas_never_exceed_what_is_there(counts, want, parts):
    cells = [(a, b) for a in "xyz" for b in "pq"]
    available = dict(zip(cells, counts, strict=True))
    second = {"p": parts[0] / sum(parts), "q": parts[1] / sum(parts)}
    shares = {"first": dict.fromkeys("xyz", 1 / 3), "second": second}
    taken = quotas(available, shares, want)
    assert sum(taken.values()) == min(want, sum(counts))
    assert all(taken[cell] <= available[cell] for cell in cells)


def test_quotas_meet_marginals_when_there_is_enough():
    available = {(a, b): 400 for a in "xyz" for b in "pq"}
    shares = {"first": {"x": 0.5, "y": 0.3, "z": 0.2}, "second": {"p": 0.67, "q": 0.33}}
    taken = quotas(available, shares, 600)
    assert sum(taken.values()) == 600
    for value, share in shares["first"].items():
        assert sum(n for c, n in taken.items() if c[0] == value) == pytest.approx(
            600 * share, abs=2
        )
    assert sum(n for c, n in taken.items() if c[1] == "p") == pytest.approx(402, abs=2)
