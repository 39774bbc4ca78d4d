"""A diffusion model taught to draw the faces of photos: DreamBooth, whole or by LoRA.

DreamBooth (Ruiz et al. 2022, arXiv 2208.12242) teaches a phrase by a few photos and keeps what
the class's phrase meant before by pictures the model drew of it (equation 2). LoRA (Hu et al.
2021, arXiv 2106.09685) trains small matrices beside the attention's. The defaults are yu2024's.
Photos enter; weights leave in a folder, whose training a killed process continues.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kerasfaces.core import config, rng
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.imports import optional_import
from kerasfaces.core.progress import progress
from kerasfaces.generate.networks import diffusers_files, training_pictures

if TYPE_CHECKING:
    from kerasfaces.generate.fine_tuned import Options

CHECKPOINT_FILE = "checkpoint.pt"
_UNDECIDING = ("network", "negative_prompt", "device", "variant", "local_files_only")
_LAYERS = ["to_k", "to_q", "to_v", "to_out.0"]


def train(
    pipeline: Any, files: Sequence[Path], options: "Options", rank: int, folder: Path
) -> None:
    """Teach a pipeline, or continue; the weights are in `folder` afterwards.

    Args:
        pipeline: Stable Diffusion 1 or 2, on its device.
        files: Photos.
        options: Settings.
        rank: Of LoRA's matrices; 0 trains the whole network.
        folder: Of checkpoint, class's pictures and weights; made if need be.

    Raises:
        InputError: The pipeline is of another family, or no photo can be used.
        RunError: The folder's checkpoint is of other settings or of other photos.
    """
    if is_trained(folder):
        return
    if getattr(pipeline, "unet", None) is None or hasattr(pipeline, "text_encoder_2"):
        raise InputError(
            f"{type(pipeline).__name__}: training needs Stable Diffusion 1.x or 2.x; set "
            "options.network to such a pipeline."
        )
    folder.mkdir(parents=True, exist_ok=True)
    pipeline.vae.requires_grad_(False)
    pipeline.text_encoder.requires_grad_(False)
    photos = training_pictures.photos(files, options)
    others = training_pictures.of_class(pipeline, options, folder)
    trained = _trained(pipeline, options.seed, rank)
    optimizer = torch.optim.AdamW(trained.values(), options.learning_rate)
    key = _key(options, rank, photos)
    first = _resume(folder, key, trained, optimizer)
    prompts = options.instance_prompt, options.class_prompt
    texts = [_text(pipeline, each) for each in prompts]
    pipeline.unet.train()
    with progress(options.steps - first, "Training", "step") as advance:
        for step in range(first, options.steps):
            random = rng.generator(options.seed, "step", step)
            photo = photos[_photo_of(step, len(photos), options)]
            loss = _loss(pipeline, photo, texts[0], random)
            if others:
                other = others[int(random.integers(len(others)))]
                prior = _loss(pipeline, other, texts[1], random)
                loss = loss + options.prior_weight * prior
            if not torch.isfinite(loss):
                raise RunError(
                    f"The loss is not finite at step {step}; use a smaller learning_rate "
                    "in another folder."
                )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            if (step + 1) % options.save_every == 0 or step + 1 == options.steps:
                _save(folder, key, trained, optimizer, step + 1)
            advance(1)
    pipeline.unet.eval()
    _finish(pipeline, rank, folder)


def is_trained(folder: Path) -> bool:
    """Tell whether a training in `folder` came to its end."""
    return (folder / "weights").is_dir()


def load(pipeline: Any, rank: int, folder: Path) -> None:
    """Give a pipeline what was trained.

    Raises:
        InputError: The weights are damaged.
    """
    weights = folder / "weights"
    if not rank:
        kind = type(pipeline.unet).__name__
        trained = diffusers_files.load_model(weights, kind)
        pipeline.unet.load_state_dict(trained.state_dict())
        return
    try:
        pipeline.load_lora_weights(weights, local_files_only=True, use_safetensors=True)
    except Exception as error:  # diffusers', peft's and safetensors' own kinds
        raise InputError(
            f"{weights}: no LoRA weights that can be read ({type(error).__name__}); delete "
            "the folder, and the same command ends the training again."
        ) from error


def _key(options: "Options", rank: int, photos: Sequence[Tensor]) -> str:
    """Return what a checkpoint is of: settings that decide the weights, and photos."""
    values = config.to_dict(options) | {"rank": rank}
    deciding = {name: values[name] for name in values if name not in _UNDECIDING}
    return config.digest(deciding) + training_pictures.digest(photos)


def _trained(pipeline: Any, seed: int, rank: int) -> dict[str, Any]:
    """Return the parameters that are trained, by name."""
    unet = pipeline.unet
    unet.requires_grad_(not rank)
    if rank:
        peft = optional_import("peft", diffusers_files.EXTRA)
        torch.manual_seed(rng.integer_seed(seed, "lora"))
        unet.add_adapter(
            peft.LoraConfig(
                r=rank,
                lora_alpha=rank,
                init_lora_weights="gaussian",
                target_modules=_LAYERS,
            )
        )
    return {name: each for name, each in unet.named_parameters() if each.requires_grad}


def _photo_of(step: int, n: int, options: "Options") -> int:
    """Return a step's photo: rounds of each photo `repeats` times, in an order of their own."""
    rounds, at = divmod(step, n * options.repeats)
    order = rng.generator(options.seed, "round", rounds).permutation(
        n * options.repeats
    )
    return int(order[at]) % n


def _text(pipeline: Any, prompt: str) -> Tensor:
    with torch.no_grad():
        embedded: Tensor = pipeline.encode_prompt(
            prompt, pipeline.device, 1, do_classifier_free_guidance=False
        )[0]
    return embedded


def _loss(
    pipeline: Any, picture: Tensor, text: Tensor, random: np.random.Generator
) -> Tensor:
    """Return the mean square error of the noise that the network sees (equation 1)."""
    vae, schedule = pipeline.vae, _schedule(pipeline)
    pixels = picture[None].to(pipeline.device)
    with torch.no_grad():
        latent = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
    drawn = random.standard_normal(tuple(latent.shape)).astype(np.float32)
    noise = torch.from_numpy(drawn).to(pipeline.device)
    time = torch.tensor([int(random.integers(schedule.config.num_train_timesteps))])
    time = time.to(pipeline.device)
    noisy = schedule.add_noise(latent, noise, time)
    seen = pipeline.unet(noisy, time, text, return_dict=False)[0]
    by_speed = schedule.config.prediction_type == "v_prediction"
    target = schedule.get_velocity(latent, noise, time) if by_speed else noise
    return functional.mse_loss(seen, target)


def _schedule(pipeline: Any) -> Any:
    diffusers = optional_import("diffusers", diffusers_files.EXTRA)
    return diffusers.DDPMScheduler.from_config(pipeline.scheduler.config)


def _resume(folder: Path, key: str, trained: dict[str, Any], optimizer: Any) -> int:
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return 0
    try:
        saved = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # torch raises many kinds
        raise RunError(
            f"{path} is damaged; delete it, and the training begins anew."
        ) from error
    if saved["key"] != key:
        raise RunError(
            f"{path} is of other photos or settings; generate into another folder, or delete it."
        )
    with torch.no_grad():
        for name, tensor in trained.items():
            tensor.copy_(saved["trained"][name])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


def _save(
    folder: Path, key: str, trained: dict[str, Any], optimizer: Any, step: int
) -> None:
    state = {
        "step": step,
        "key": key,
        "trained": {name: tensor.detach() for name, tensor in trained.items()},
        "optimizer": optimizer.state_dict(),
    }
    with atomic_path(folder / CHECKPOINT_FILE) as temporary:
        torch.save(state, temporary)


def _finish(pipeline: Any, rank: int, folder: Path) -> None:
    """Write the weights as diffusers reads them; the folder's name is its last step."""
    unfinished = folder / "weights.part"
    unfinished.mkdir(exist_ok=True)
    if rank:
        peft = optional_import("peft", diffusers_files.EXTRA)
        layers = peft.get_peft_model_state_dict(pipeline.unet)
        type(pipeline).save_lora_weights(unfinished, unet_lora_layers=layers)
    else:
        pipeline.unet.save_pretrained(unfinished)
    unfinished.rename(folder / "weights")
    (folder / CHECKPOINT_FILE).unlink()
