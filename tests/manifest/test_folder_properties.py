"""Folder trees as they might come: read right, or refused; never guessed."""

import shutil
import tempfile
from pathlib import Path

import pytest
from folder_reading import from_folders
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kerasfaces.core.errors import InputError

CLASSES = {
    "real": ["real", "0_real", "nature", "real_images", "authentic", "reals"],
    "fake": ["fake", "1_fake", "ai", "fake_images", "synthetic", "deepfakes"],
}
SPLITS = {
    "train": ["train", "training", "train_set"],
    "val": ["val", "valid", "validation", "val_images"],
    "test": ["test", "testing", "test2"],
}
TITLES = ["archive", "data", "real_vs_fake", "real-and-fake-faces", "images", "kaggle"]
GENERATORS = ["stylegan", "Midjourney", "sdv5", "alpha", "real_esrgan", "b_7", "x"]
CAMERAS = ["ffhq", "celeba", "phone", "y_2"]
SHARDS = ["00000", "01000", "part_01", "shard-3", "7", "256x256"]
SPLIT_WORDS = {word for words in SPLITS.values() for word in words}
CASES = [str, str.upper, str.capitalize]


def grow(paths):
    """Make a tree with one (empty) image at each of the paths; return its folder."""
    root = Path(tempfile.mkdtemp()) / "pictures"
    for number, path in enumerate(paths):
        (root / path).mkdir(parents=True, exist_ok=True)
        (root / path / f"{number}.png").touch()
    return root


def read(paths):
    """Return path -> (label, split, source)."""
    root = grow(paths)
    try:
        rows = from_folders(root).rows
    finally:
        shutil.rmtree(root.parent)
    folders = rows["path"].str.rpartition("/")[0]
    columns = zip(rows["label"], rows["split"], rows["source"], strict=True)
    return dict(zip(folders, columns, strict=True))


@st.composite
def trees(draw):
    """A tree in some data set's manner, and what each folder of it is."""
    levels = ["class"]
    has_splits = draw(st.booleans())
    where = draw(st.sampled_from(["above", "below", "none"]))
    if has_splits:
        levels.insert(draw(st.integers(0, 1)), "split")
    if where != "none":
        at = levels.index("class") + (where == "below")
        places = range(at, len(levels) + 1) if where == "below" else range(at + 1)
        levels.insert(draw(st.sampled_from(list(places))), "generator")
    titles = draw(st.lists(st.sampled_from(TITLES), max_size=2))
    case = draw(st.sampled_from(CASES))
    names = {key: case(draw(st.sampled_from(CLASSES[key]))) for key in CLASSES}
    splits = draw(
        st.lists(st.sampled_from(list(SPLITS)), min_size=2, max_size=3, unique=True)
    )
    words = {key: case(draw(st.sampled_from(SPLITS[key]))) for key in splits}
    some = st.lists(st.sampled_from(GENERATORS), min_size=1, max_size=3, unique=True)
    generators = draw(some)
    cameras = draw(
        st.lists(st.sampled_from(CAMERAS), min_size=1, max_size=3, unique=True)
    )
    shards = draw(st.lists(st.sampled_from(SHARDS), max_size=3, unique=True)) or [""]
    answers = {}
    for label in CLASSES:
        sources = cameras if label == "real" and where == "below" else generators
        for split in splits if has_splits else [""]:
            for source in sources if where != "none" else [""]:
                parts = {"class": names[label], "generator": source}
                parts["split"] = words.get(split, "")
                middle = [parts[level] for level in levels]
                for shard in shards:
                    path = "/".join([*titles, *middle, *([shard] if shard else [])])
                    ours = f"{source}_real" if where == "above" and label == "real" else source  # fmt: skip
                    answers[path] = (label, split, ours)
    return answers


@given(trees())
@settings(max_examples=40, derandomize=True, deadline=None)
@example({f"train/{each}": (each, "train", "") for each in CLASSES} | {f"test/{each}": (each, "test", "") for each in CLASSES})  # fmt: skip
def test_trees_are_read_right(answers):
    read_right(answers)


def read_right(answers):
    """Check a tree made of known parts."""
    found = read(answers)
    assert {path: answer[:2] for path, answer in found.items()} == {
        path: answer[:2] for path, answer in answers.items()
    }
    named = {path: answer[2] for path, answer in answers.items() if answer[2]}
    if named:
        assert {path: found[path][2] for path in named} == named
    else:  # one source per class, whatever it is called
        assert len({(label, source) for label, _, source in found.values()}) == 2
        assert len({source for _, _, source in found.values()}) == 2


@given(trees(), st.randoms(use_true_random=False))
@settings(max_examples=20, derandomize=True, deadline=None)
def test_a_tree_below_class_folders_never_names_a_source_by_split_or_shard(
    answers, random
):
    """Old and new alike read these: the question is only what they take for a source."""
    paths = {f"{label}/{random.choice(['train', 'test', '00000', 'part_1'])}/{path}" for path, (label, _, _) in answers.items()}  # fmt: skip
    sources = set()
    try:
        sources = {source for _, _, source in read(paths).values()}
    except InputError:
        pass
    assert not {each.lower() for each in sources} & {*SPLIT_WORDS, *SHARDS, "part_1"}


ODD = [
    "real", "REAL", "fake", "Fake", "train", "TEST", "val", "valid", "00000", "part_2",
    "stylegan", "cam", "Celeb-real", "test_subjects", "real_esrgan", "images", "ai",
    "nature", "ffhq_train", "ffhq_test", "training_real", "test_fake", "dev", "Testing",
]  # fmt: skip


ANY = st.lists(
    st.lists(st.sampled_from(ODD), min_size=1, max_size=4).map("/".join),
    min_size=2,
    max_size=8,
    unique=True,
)


@given(ANY)
@settings(max_examples=80, derandomize=True, deadline=None)
@example(["real/train", "fake/train", "real/test", "fake/test"])
@example(["real/cam", "fake/sd", "test/real", "test/fake"])
@example(["train/real", "train/fake", "test/real/ffhq_train", "test/fake"])
def test_whatever_the_tree_official_test_images_never_land_in_train(paths):
    never_guessed(paths)


def never_guessed(paths):
    """Check a tree of any parts: refused, or nothing in it against a word."""
    try:
        found = read(paths)
    except InputError:
        return
    has_train = any(split == "train" for _, split, _ in found.values())
    for path, (label, split, source) in found.items():
        parts = [part.lower() for part in path.split("/")]
        if {"test", "testing", "test_fake", "ffhq_test"} & set(parts):
            assert split == "test", path
        elif {"train", "ffhq_train"} & set(parts):
            assert split == "train", path
        elif {"val", "valid"} & set(parts):
            assert split == "val", path
        elif "dev" in parts:
            raise AssertionError(f"{path} was guessed to be {split}")
        else:
            assert split == "" or not has_train or "training_real" in parts, path
        strong = {"real", "fake"} & set(parts)
        if len(strong) == 1:
            assert label in strong, path
        assert source.lower() not in {*SPLIT_WORDS, "00000", "part_2"}, path


PLAIN = st.text("abcxyz", min_size=1, max_size=4).filter(
    lambda text: text not in ("x", "ai")
)


@given(
    st.lists(PLAIN | st.just("/"), min_size=1, max_size=4, unique=True),
    st.lists(
        st.lists(PLAIN, max_size=2).map("/".join), min_size=1, max_size=4, unique=True
    ),
)
@settings(max_examples=20, derandomize=True, deadline=None)
def test_the_layout_there_was_gives_what_it_gave(reals, fakes):
    """`real/**` and `fake/<generator>/**`: the source is the first folder below."""
    paths = [f"real/{each.strip('/')}".strip("/") for each in reals]
    paths += [f"fake/{each}".strip("/") for each in fakes]
    found = read(dict.fromkeys(paths))
    assert found == {
        path: (path.split("/")[0], "", (*path.split("/"), path.split("/")[0])[1])
        for path in paths
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["known parts", "any parts"])
def test_many_more_trees(kind):
    """The same for half a minute each, other trees every time."""
    check, tree = (
        (read_right, trees()) if kind == "known parts" else (never_guessed, ANY)
    )

    @given(tree)
    @settings(max_examples=1000, database=None, deadline=None)
    def more(tree):
        check(tree)

    more()
