"""What tests of the stage share."""

from kerasfaces.channels import config as stage_config

SMALL = stage_config.from_names(
    ["rgb", "spectrum"], "none", ["size_px=32", "spectrum.of=rgb"]
)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.npy")}
