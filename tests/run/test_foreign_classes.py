"""A .keras file that names code or foreign classes is refused, and nothing of it runs."""

import json
import zipfile

import pytest

from kerasfaces.core.errors import RunError
from kerasfaces.run import foreign_classes


def write(path, layer):
    config = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "layers": [{"module": "keras.layers", "class_name": "Dense"}, layer]
        },
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    return path


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ({"module": "keras.layers", "class_name": "Lambda"}, r"keras\.layers\.Lambda"),
        ({"module": "os", "class_name": "system"}, r"os\.system"),
        ({"module": "keras_evil", "class_name": "Dense"}, r"keras_evil\.Dense"),
        ({"config": [{"class_name": "__lambda__"}]}, "__lambda__"),
        ({"module": "builtins", "class_name": "function"}, r"builtins\.function"),
    ],
)
def test_code_and_foreign_classes_are_refused(layer, name, tmp_path):
    with pytest.raises(RunError, match=f"names '{name}', which could run code"):
        foreign_classes.refuse(write(tmp_path / "model.keras", layer))


def test_ours_pass_and_damage_is_left_to_who_reads_the_weights(tmp_path):
    ours = {"module": "kerasfaces.models.layers", "class_name": "MeanStdPooling"}
    foreign_classes.refuse(write(tmp_path / "model.keras", ours))
    (tmp_path / "x.keras").write_bytes(b"no archive")
    foreign_classes.refuse(tmp_path / "x.keras")
    foreign_classes.refuse(tmp_path / "none.keras")


@pytest.mark.tf
def test_a_lambda_in_a_run_never_runs(run_with_lambda):
    from kerasfaces.run.folder import DetectorRun

    folder, mark = run_with_lambda
    with pytest.raises(RunError, match=r"model\.keras names 'keras\.layers\.Lambda'"):
        DetectorRun.open(folder).network.load()
    assert not mark.exists()


@pytest.fixture
def run_with_lambda(tmp_path):
    """A run folder of a network with right weights, whose file asks for a Lambda too."""
    import keras
    from detector_files import make_run

    from kerasfaces.core import config as configs
    from kerasfaces.core.files import read_json, write_json
    from kerasfaces.images import InputSpec
    from kerasfaces.models import catalogue
    from kerasfaces.models.config import ModelConfig

    folder, mark = make_run(tmp_path / "run"), tmp_path / "mark"
    model = ModelConfig(name="mobilenetv2", size_px=32)
    train = {"model": configs.to_dict(model), "unfreeze": 0}
    write_json(folder / "config.json", {"train": train, "weights": None})
    spec = InputSpec(size_px=32, crops=model.crops)
    write_json(
        folder / "input_spec.json",
        {"input": configs.to_dict(spec), "limits": None, "value_range": [0, 255]},
    )
    file = folder / "model.keras"
    catalogue.load(model.name).build(model, None, 0).save(file)
    name = str(mark)
    evil = keras.layers.Lambda(lambda x: open(name, "w").close() or x)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"].append(keras.saving.serialize_keras_object(evil))
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert read_json(folder / "input_spec.json")["limits"] is None
    return folder, mark


@pytest.mark.parametrize("config", ["{", "[" * 100_000, b"\xff\xfe\xff"])
def test_a_config_that_nobody_can_read_is_refused(config, tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
    with pytest.raises(RunError, match="config that cannot be read"):
        foreign_classes.refuse(path)
