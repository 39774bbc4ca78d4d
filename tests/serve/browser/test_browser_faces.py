from types import SimpleNamespace

import pytest

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.images import InputSpec
from kerasfaces.serve import browser


@pytest.mark.parametrize("faces", ["largest", "cut", "none"])
def test_the_page_of_a_run_on_face_crops_is_refused(faces):
    spec = configs.to_dict(InputSpec(faces=faces))
    run = SimpleNamespace(path="RUN", input_spec={"input": spec})
    if faces == "none":
        browser._require_known_input(run)
        return
    with pytest.raises(InputError, match="RUN was trained on face crops"):
        browser._require_known_input(run)
