import dataclasses
import hashlib

import pytest
from file_server import serving

from kerasfaces.channels.networks import checkpoints
from kerasfaces.core.errors import InputError, MissingFileError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path))
    return tmp_path / "checkpoints"


@pytest.mark.parametrize("name", checkpoints.CHECKPOINTS)
def test_entries_are_complete(name):
    made = checkpoints.CHECKPOINTS[name]
    assert made.address.startswith("https://")
    assert made.sha256 is None or len(bytes.fromhex(made.sha256)) == 32
    assert (made.sha256 is None) == (made.size_bytes is None)


@pytest.mark.parametrize("name", ["sam_vit_b", "sam_vit_b_01ec64.pth"])
def test_a_missing_file_says_what_to_put_where(name, cache):
    with pytest.raises(MissingFileError) as caught:
        checkpoints.find(name)
    message = str(caught.value)
    assert str(cache / "sam_vit_b_01ec64.pth") in message
    assert checkpoints.CHECKPOINTS["sam_vit_b"].address in message
    assert "375,042,383 bytes" in message


def test_a_published_file_is_downloaded_where_that_is_asked_for(
    tmp_path, cache, monkeypatch
):
    pytest.importorskip("pooch")
    content = b"weights"
    (tmp_path / "served").mkdir()
    (tmp_path / "served/mobile_sam.pt").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    with serving(tmp_path / "served") as address:
        served = checkpoints.Checkpoint(
            "mobile_sam.pt", f"{address}/mobile_sam.pt", digest, len(content)
        )
        published = {"mobile_sam": served}
        with pytest.raises(
            MissingFileError, match=r"sam\.download': True\}` fetches it"
        ):
            checkpoints.find("mobile_sam", published, option="sam.download")
        file = checkpoints.find("mobile_sam", published, download=True)
        assert file.path == cache / "mobile_sam.pt"
        assert file.path.read_bytes() == content
        other = dataclasses.replace(served, file="other.pt", sha256="0" * 64)
        with pytest.raises(
            MissingFileError, match=r"could not be downloaded.*put it at"
        ):
            checkpoints.find("other", {"other": other}, download=True)
    assert not (cache / "other.pt").exists()


def test_what_has_no_known_hash_is_not_downloaded():
    with pytest.raises(MissingFileError, match="cycleisp_sidd is missing"):
        checkpoints.find("cycleisp_sidd", download=True)


def test_an_official_name_is_looked_for_in_the_current_folder_too(
    tmp_path, cache, monkeypatch
):
    work = tmp_path / "work"
    work.mkdir()
    cache.mkdir()
    monkeypatch.chdir(work)
    (cache / "sidd_rgb.pth").write_bytes(b"in the cache")
    assert checkpoints.find("sidd_rgb.pth").path == cache / "sidd_rgb.pth"
    (work / "sidd_rgb.pth").write_bytes(b"here")
    found = checkpoints.find("sidd_rgb.pth")
    assert (found.path.read_bytes(), found.name) == (b"here", "cycleisp_sidd")
    assert checkpoints.find("cycleisp_sidd").path == cache / "sidd_rgb.pth"


def test_a_missing_path_lists_the_names(tmp_path):
    with pytest.raises(
        MissingFileError, match=r"no checkpoint at .*mine.pth.*mobile_sam"
    ):
        checkpoints.find(str(tmp_path / "mine.pth"))


def test_another_file_is_found_by_its_path_with_its_hash(tmp_path):
    path = tmp_path / "mine.pth"
    path.write_bytes(b"weights")
    found = checkpoints.find(str(path))
    assert found.path == path
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert found.name == ""


def test_an_official_file_of_the_wrong_size_is_refused(cache):
    cache.mkdir()
    (cache / "mobile_sam.pt").write_bytes(b"cut off")
    with pytest.raises(InputError, match=r"expected 40,728,226 bytes, got 7"):
        checkpoints.find("mobile_sam")


def test_an_official_file_with_another_content_is_refused(tmp_path, monkeypatch):
    right = b"right"
    made = dataclasses.replace(
        checkpoints.CHECKPOINTS["mobile_sam"],
        size_bytes=5,
        sha256=hashlib.sha256(right).hexdigest(),
    )
    monkeypatch.setitem(checkpoints.CHECKPOINTS, "mobile_sam", made)
    path = tmp_path / "mobile_sam.pt"
    path.write_bytes(b"wrong")
    with pytest.raises(InputError, match=r"expected SHA-256 .*download it again"):
        checkpoints.find(str(path))
    path.write_bytes(right)
    assert checkpoints.find(str(path)).name == "mobile_sam"


def test_a_file_of_unknown_hash_is_taken_as_it_is(cache):
    cache.mkdir()
    (cache / "sidd_rgb.pth").write_bytes(b"anything")
    found = checkpoints.find("cycleisp_sidd")
    assert found.name == "cycleisp_sidd"
    assert found.sha256 == hashlib.sha256(b"anything").hexdigest()
