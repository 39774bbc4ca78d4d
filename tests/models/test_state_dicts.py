"""State dicts of torch and safetensors, read without torch, and hostile ones refused."""

import pickle
import zipfile

import numpy as np
import pytest

from kerasfaces.core.errors import InputError
from kerasfaces.models import state_dicts

WRITE = """
import torch
torch.manual_seed(0)
layer = torch.nn.Conv2d(3, 4, 5)
state = layer.state_dict()
state["turned"] = torch.arange(12.0).reshape(3, 4)[1:].T  # an offset, and strides
state["count"] = torch.tensor(7)
state["half"] = torch.ones(3, dtype=torch.float16)
torch.save(state, r"{path}", _use_new_zipfile_serialization={new})
import numpy as np
np.savez(r"{path}.npz", **{{name: value.numpy() for name, value in state.items()}})
"""


@pytest.mark.slow
@pytest.mark.parametrize("new", [True, False])
def test_torch_files_are_read_as_torch_reads_them(new, tmp_path, run_python):
    pytest.importorskip("torch")
    path = tmp_path / "state.pth"
    run_python(WRITE.format(path=path, new=new))
    wanted, state = np.load(f"{path}.npz"), state_dicts.read(path)
    assert set(state) == set(wanted)
    for name in wanted:
        np.testing.assert_array_equal(state[name], wanted[name])
        assert state[name].dtype == wanted[name].dtype


def test_safetensors_are_read(tmp_path):
    numpy_files = pytest.importorskip("safetensors.numpy")
    path, values = tmp_path / "a.safetensors", {"a": np.arange(6.0).reshape(2, 3)}
    numpy_files.save_file(values, path)
    np.testing.assert_array_equal(state_dicts.read(path)["a"], values["a"])
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="not a complete state dict of tensors"):
        state_dicts.read(path)


class Storage:
    """Pickled as a reference to `n` numbers."""

    n = 4


class Tensor:
    def __init__(self, shape=(2, 2), strides=(2, 1), offset=0):
        self.arguments = Storage(), offset, shape, strides, False, None

    def __reduce__(self):
        return state_dicts._tensor, self.arguments


class Code:
    def __reduce__(self):
        return print, ("code ran",)


class Pickler(pickle._Pickler):
    """Writes what torch would, without torch."""

    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", Name("torch", "FloatStorage"), "0", "cpu", value.n
        return None

    def save_global(self, value, name=None):
        if value is state_dicts._tensor:
            value = Name("torch._utils", "_rebuild_tensor_v2")
        if isinstance(value, Name):
            self.write(f"c{value.module}\n{value.name}\n".encode())
        else:
            super().save_global(value, name)


class Name:
    def __init__(self, module, name):
        self.module, self.name = module, name


Pickler.dispatch = pickle._Pickler.dispatch | {
    type(state_dicts._tensor): Pickler.save_global,
    Name: Pickler.save_global,
}


def saved(path, state):
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("archive/data.pkl", "w") as file:
            Pickler(file, 2).dump(state)
        archive.writestr("archive/data/0", np.arange(4, dtype="<f4").tobytes())
    return path


def test_what_this_test_writes_is_read(tmp_path):
    state = state_dicts.read(saved(tmp_path / "a.pt", {"a": Tensor(strides=(1, 2))}))
    np.testing.assert_array_equal(state["a"], [[0, 2], [1, 3]])


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"a": Code()}, "it names __?builtins?__.print, which is no tensor"),
        ({"a": Tensor((3, 2))}, "a tensor is longer than its storage"),
        ({"a": Tensor((2, 2), (2**40, 1))}, "a tensor is longer than its storage"),
        ({"a": Tensor(offset=1)}, "a tensor is longer than its storage"),
        ({"a": Tensor(offset=-4)}, "a tensor has no such shape"),
        ({"a": Tensor((2, 2), (-2, 1))}, "a tensor has no such shape"),
        ({"a": Tensor((2, 2), (2,))}, "a tensor has no such shape"),
        ({"a": 3}, "'a' is no tensor"),
        ([Tensor()], "it holds a list"),
    ],
)
def test_anything_else_is_refused_and_does_not_run(state, words, tmp_path, capsys):
    path = saved(tmp_path / "hostile.pth", state)
    with pytest.raises(InputError, match=f"not a complete state dict .*{words}"):
        state_dicts.read(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("ending", state_dicts.ENDINGS)
def test_foreign_and_empty_files_are_a_sentence(ending, tmp_path):
    if ending == ".safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"foreign{ending}"
    for content in (b"", b"hello, this is a text" * 20, b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="download it again"):
            state_dicts.read(path)
