"""A diffusion model taught to draw the faces of photos: DreamBooth, whole or by LoRA.

DreamBooth (Ruiz et al. 2022, arXiv 2208.12242) teaches a phrase by a few photos and keeps what
the class's phrase meant before by pictures the model drew of it (equation 2). LoRA (Hu et al.
2021, arXiv 2106.09685) trains small matrices beside the attention's. The defaults are yu2024's.
Photos enter; weights leave in a folder, whose training a killed process continues.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
from kerasfaces.generate.networks.training_pictures import Plan

CHECKPOINT_FILE = "checkpoint.pt"
_LAYERS = ["to_k", "to_q", "to_v", "to_out.0"]


def train(pipeline: Any, files: Sequence[Path], plan: Plan, folder: Path) -> None:
    """Teach a pipeline, or continue; the weights are in `folder` afterwards.

    Args:
        pipeline: Stable Diffusion 1 or 2, on its device.
        files: Photos.
        plan: Settings.
        folder: Of checkpoint, class's pictures and weights; made if need be.

    Raises:
        InputError: The pipeline is of another family, or no photo can be used.
        RunError: The folder's checkpoint is of another plan or of other photos.
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
    photos = training_pictures.photos(files, plan)
    others = training_pictures.of_class(pipeline, plan, folder)
    trained = _trained(pipeline, plan)
    optimizer = torch.optim.AdamW(trained.values(), plan.learning_rate)
    key = config.digest(plan) + training_pictures.digest(photos)
    first = _resume(folder, key, trained, optimizer)
    texts = [
        _text(pipeline, each) for each in (plan.instance_prompt, plan.class_prompt)
    ]
    pipeline.unet.train()
    with progress(plan.steps - first, "Training", "step") as advance:
        for step in range(first, plan.steps):
            random = rng.generator(plan.seed, "step", step)
            photo = photos[_photo_of(step, len(photos), plan)]
            loss = _loss(pipeline, photo, texts[0], random)
            if others:
                other = others[int(random.integers(len(others)))]
                loss = loss + plan.prior_weight * _loss(
                    pipeline, other, texts[1], random
                )
            if not torch.isfinite(loss):
                raise RunError(
                    f"The loss is not finite at step {step}; use a smaller learning_rate "
                    "in another folder."
                )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
                _save(folder, key, trained, optimizer, step + 1)
            advance(1)
    pipeline.unet.eval()
    _finish(pipeline, plan, folder)


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


def _trained(pipeline: Any, plan: Plan) -> dict[str, Any]:
    """Return the parameters that are trained, by name."""
    unet = pipeline.unet
    unet.requires_grad_(not plan.rank)
    if plan.rank:
        peft = optional_import("peft", diffusers_files.EXTRA)
        torch.manual_seed(rng.integer_seed(plan.seed, "lora"))
        unet.add_adapter(
            peft.LoraConfig(
                r=plan.rank,
                lora_alpha=plan.rank,
                init_lora_weights="gaussian",
                target_modules=_LAYERS,
            )
        )
    return {name: each for name, each in unet.named_parameters() if each.requires_grad}


def _photo_of(step: int, n: int, plan: Plan) -> int:
    """Return a step's photo: rounds of each photo `repeats` times, in an order of their own."""
    rounds, at = divmod(step, n * plan.repeats)
    order = rng.generator(plan.seed, "round", rounds).permutation(n * plan.repeats)
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


def _finish(pipeline: Any, plan: Plan, folder: Path) -> None:
    """Write the weights as diffusers reads them; the folder's name is its last step."""
    unfinished = folder / "weights.part"
    unfinished.mkdir(exist_ok=True)
    if plan.rank:
        peft = optional_import("peft", diffusers_files.EXTRA)
        layers = peft.get_peft_model_state_dict(pipeline.unet)
        type(pipeline).save_lora_weights(unfinished, unet_lora_layers=layers)
    else:
        pipeline.unet.save_pretrained(unfinished)
    unfinished.rename(folder / "weights")
    (folder / CHECKPOINT_FILE).unlink()
