"""A picture that the tests of this folder share."""

import photo_files
import pytest


@pytest.fixture
def gradient():
    """A picture in which every corner differs, `(24, 40, 3)`."""
    return photo_files.gradient()
