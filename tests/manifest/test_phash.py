import io

import numpy as np
import pytest
from PIL import Image

from kerasfaces.manifest import groups


def distance(first, second):
    a, b = groups.from_hex([first, second])
    return int(np.unpackbits(a ^ b).sum())


def brute_force(hashes, limit):
    """Every pair by direct comparison, mirror images included."""
    both = np.stack([hashes, groups.mirrored(hashes)])
    pairs = set()
    for i in range(len(hashes)):
        for j in range(i + 1, len(hashes)):
            apart = np.unpackbits(both[:, j] ^ hashes[i], axis=1).sum(axis=1)
            if apart.min() <= limit:
                pairs.add((i, j))
    return pairs


def connected(n, pairs):
    """Which rows are joined, as a list of representatives."""
    parent = list(range(n))
    for a, b in pairs:
        old, new = parent[a], parent[b]
        parent = [new if each == old else each for each in parent]
    return [parent.index(each) for each in parent]


def test_re_encoded_and_shrunk_pictures_stay_near(picture):
    for number in range(5):
        image = picture(number, 128)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=40)
        original = groups.phash(image)
        assert distance(original, groups.phash(Image.open(buffer))) <= 12
        assert distance(original, groups.phash(image.resize((64, 64)))) <= 12
        assert distance(original, groups.phash(picture(number + 50, 128))) > 60


def test_mirror_image_has_the_mirrored_hash(picture):
    image = picture(3)
    flipped = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    found = groups.mirrored(groups.from_hex([groups.phash(image)]))
    assert np.array_equal(found, groups.from_hex([groups.phash(flipped)]))
    assert np.array_equal(
        groups.mirrored(found), groups.from_hex([groups.phash(image)])
    )


def test_flat_pictures_have_a_stable_hash():
    for grey in (0, 128, 255):
        flat = Image.new("RGB", (70, 50), (grey, grey, grey))
        assert groups.phash(flat) == "0" * 64


@pytest.mark.parametrize("limit", [0, 1, 8, 16, 24])
def test_pairs_equal_brute_force(limit):
    random = np.random.default_rng(limit)
    centres = random.integers(0, 256, (30, 32), dtype=np.uint8)
    rows = []
    for centre in centres:
        for flips in (0, limit // 2, limit, limit + 1):
            bits = np.unpackbits(centre)
            bits[random.permutation(256)[:flips]] ^= 1
            rows.append(np.packbits(bits))
    hashes = np.array(rows)
    hashes[::7] = groups.mirrored(hashes[::7])
    found = {tuple(pair) for pair in groups.near_pairs(hashes, limit).tolist()}
    expected = brute_force(hashes, limit)
    assert found <= expected
    assert connected(len(hashes), found) == connected(len(hashes), expected)


def test_few_and_equal_pictures():
    assert groups.near_pairs(np.zeros((1, 32), np.uint8), 16).shape == (0, 2)
    assert groups.near_pairs(np.zeros((0, 32), np.uint8), 16).shape == (0, 2)
    same = np.zeros((5000, 32), np.uint8)
    pairs = groups.near_pairs(same, 16)
    assert len(pairs) == 4999  # enough to connect them, not all 12 million
