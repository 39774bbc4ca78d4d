"""Store and files joined by content; channels by name."""

import shutil

import fake_channels
import numpy as np
import pytest

from kerasfaces import images, store
from kerasfaces.channels import own_process
from kerasfaces.core.errors import InputError, MissingFileError, StoreError
from kerasfaces.dataset import channels

NAMES = fake_channels.NAMES


@pytest.fixture
def files(tiny_images):
    return sorted(tiny_images.rglob("*.png"))[:20]


@pytest.fixture
def folder(files, tmp_path):
    return fake_channels.make(tmp_path / "store", files)


def expected(files):
    pixels = [images.load_array(path, fake_channels.SPEC) for path in files]
    return np.stack([fake_channels.channels(array) for array in pixels])


@pytest.mark.parametrize(
    "names", [None, ["phase"], ["lnp_red", "lnp_green", "lnp_blue"], ["phase", "red"]]
)
def test_channels_come_by_name_in_the_order_asked_for(files, folder, names):
    joined = channels.from_store(files[::-1], folder, names)
    assert joined.reasons == [""] * len(files)
    chosen = [NAMES.index(name) for name in names or NAMES]
    got = joined.store.gather(joined.keys)
    assert got.dtype == np.float16
    wanted = expected(files[::-1])[..., chosen].astype("float16")
    np.testing.assert_array_equal(got, wanted)
    assert joined.store.shape == got.shape[1:]
    read = joined.store.reader(joined.keys)
    assert len(read) == len(files)
    np.testing.assert_array_equal(read(np.array([7, 2, 2])), got[[7, 2, 2]])


def test_bytes_are_turned_back_into_values(files, tmp_path):
    folder = fake_channels.make(tmp_path / "bytes", files, dtype="uint8")
    joined = channels.from_store(files, folder, ["lnp_blue", "phase", "red"])
    got = joined.store.gather(joined.keys)
    assert got.dtype == joined.store.dtype == np.float32
    wanted = expected(files)[..., [5, 7, 0]]
    np.testing.assert_allclose(got[..., 0], wanted[..., 0], atol=0.26)
    np.testing.assert_allclose(got[..., 1], wanted[..., 1], atol=0.02)
    np.testing.assert_array_equal(got[..., 2], wanted[..., 2])


def test_copies_join_by_content_and_others_get_a_reason(files, folder, tmp_path):
    copy, broken = tmp_path / "copy.png", tmp_path / "broken.png"
    shutil.copy(files[3], copy)
    broken.write_text("no image")
    fake_channels.make(folder, [broken])
    stranger = tmp_path / "stranger.png"
    stranger.write_bytes(files[0].read_bytes() + b"x")
    gone = tmp_path / "gone.png"
    joined = channels.from_store([copy, broken, stranger, gone, copy], folder)
    assert joined.keys[0] == joined.keys[4] == images.sha256(files[3].read_bytes())
    assert joined.reasons[0] == joined.reasons[4] == ""
    assert "not an image" in joined.reasons[1]
    assert joined.reasons[2:4] == ["not in the store", "file not found"]


def test_a_manifest_s_hash_stands_in_for_a_missing_file_only(files, folder, tmp_path):
    known = [images.sha256(path.read_bytes()) for path in files[:2]]
    wrong = known[1]
    joined = channels.from_store(
        [tmp_path / "gone.png", files[0]], folder, None, [known[1], wrong]
    )
    assert joined.keys == [known[1], known[0]]
    assert joined.reasons == ["", ""]


def test_wrong_stores_are_sentences(files, folder, tmp_path):
    with pytest.raises(MissingFileError, match=r"store\.json does not exist"):
        channels.from_store(files, tmp_path / "nowhere")
    with pytest.raises(
        InputError, match=r"has no channel lnp_grey; it has red, .*model__inputs"
    ):
        channels.from_store(files, folder, ["lnp_grey"])
    with store.writing(tmp_path / "pixels", {"kind": "images"}, (8, 8, 3), "uint8"):
        pass
    with pytest.raises(StoreError, match=r"is no channel store .its kind is 'images'"):
        channels.from_store(files, tmp_path / "pixels")
    few = fake_channels.recipe(names=NAMES[:3])
    with store.writing(tmp_path / "few", few, (32, 32, 8), "float16"):
        pass
    with pytest.raises(StoreError, match="3 channel names for arrays of shape"):
        channels.from_store(files, tmp_path / "few")
    bare = tmp_path / "bare"
    fake_channels.make(bare, files[:3], config={"size_px": 32})
    with pytest.raises(StoreError, match="recipe's config has no crop, filter"):
        channels.from_store(files, bare)
    fake_channels.make(tmp_path / "rangeless", files[:3], ranges=None)
    with pytest.raises(StoreError, match="the recipe has no ranges"):
        channels.from_store(files, tmp_path / "rangeless")
    scaleless = fake_channels.recipe("uint8", scale=None)
    with store.writing(tmp_path / "bytes", scaleless, (32, 32, 8), "uint8"):
        pass
    with pytest.raises(StoreError, match="bytes without a usable scale"):
        channels.from_store(files, tmp_path / "bytes")
    joined = channels.from_store([*files, tmp_path / "gone.png"], folder)
    with pytest.raises(StoreError, match="1 of 21 images have no array"):
        joined.store.reader(joined.keys)


def test_truncated_shard_is_noticed_on_opening(files, folder):
    shard = sorted(folder.glob("*.npy"))[0]
    shard.write_bytes(shard.read_bytes()[:-10_000])
    with pytest.raises(StoreError, match="shard is truncated or damaged"):
        channels.from_store(files, folder)


def test_recipes_name_the_channels_that_are_read(folder):
    whole = channels.ChannelStore(folder)
    part = channels.ChannelStore(folder, ["phase"])
    assert whole.recipe != part.recipe
    assert whole.made_by == part.made_by == store.Store(folder).recipe


def stand_in(monkeypatch, files_seen):
    def run(files, recipe, folder):
        files_seen.append(list(files))
        fake_channels.make(folder, files)

    monkeypatch.setattr(own_process, "compute_as", run)


def test_raw_images_are_computed_once_in_the_cache(files, monkeypatch):
    seen = []
    stand_in(monkeypatch, seen)
    recipe = fake_channels.recipe()
    first = channels.channels_of(files[:5], recipe, ["phase"])
    assert first.store.folder == store.cache_folder("channels", recipe)
    np.testing.assert_array_equal(
        first.store.gather(first.keys),
        expected(files[:5])[..., 7:].astype("float16"),
    )
    channels.channels_of(files[:5], recipe)
    channels.channels_of(files[3:7], recipe)
    assert seen == [files[:5], files[5:7]]
