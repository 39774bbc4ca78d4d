"""Segment Anything's image encoder: ours against the package as published, one image.

Both at fp32 on all cores, in one run; weights are random, for time does not depend on
them. "As published" is the package's own encoder called by torch, after one call that
does not count. The difference is the greatest over the whole embedding, whose values
have a standard deviation of 1.
"""

import functools
import logging
import statistics
import time
from typing import Any

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")

TARGET = 4.0


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return a row for ViT-B at 1024 px (`quick`: a tiny encoder at 128 px)."""
    import numpy as np
    import torch

    from kerasfaces.channels.networks import sam_network
    from kerasfaces.channels.networks.engine import Runner
    from kerasfaces.core import rng

    torch.manual_seed(0)
    network: Any = _tiny() if quick else sam_network.build("vit_b")[0]
    encoder = sam_network.Encoder(network)
    side = encoder.side
    random = rng.generator(0, "sam")
    image = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    images = encoder.padded(image)
    runner = Runner(encoder, option="sam.engine")
    embedding = runner(images)
    batch = torch.from_numpy(image)[None].permute(0, 3, 1, 2).float().contiguous()
    published = functools.partial(_published, network, batch)
    # The runner has just called torch once, to compare: that was torch's warm-up.
    worst, ratios, times = 0.0, [], []
    for _ in range(2):
        started = time.perf_counter()
        expected = published().permute(0, 2, 3, 1).numpy()
        plain_s = time.perf_counter() - started
        ours_s = min(
            timing.elapsed_s(functools.partial(runner, images)) for _ in range(2)
        )
        worst = max(worst, float(np.abs(embedding - expected).max()))
        logger.info("sam encoder: published %.1f s, ours %.2f s", plain_s, ours_s)
        ratios.append(plain_s / ours_s)
        times.append(ours_s)
    share = timing.share_of_peak(timing.flop(published), statistics.median(times))
    what = (
        f"{'tiny encoder' if quick else 'ViT-B encoder'} at {side} px, one image: torch "
        f"as published / {runner.name}, f32, differs by {worst:.1e} at most; {share}"
    )
    return [timing.row("sam_encoder", ratios, TARGET, what)]


def _published(network: Any, batch: Any) -> Any:
    import torch

    with torch.no_grad():
        return network.image_encoder(network.preprocess(batch))


def _tiny() -> Any:
    """Return a Segment Anything of two thin layers at 128 px."""
    from kerasfaces.channels.networks import sam_import

    parts = sam_import.load("segment_anything")[0].modeling
    encoder = parts.ImageEncoderViT(
        img_size=128,
        embed_dim=32,
        depth=2,
        num_heads=2,
        use_rel_pos=True,
        window_size=3,
        global_attn_indexes=(1,),
    )
    prompts = parts.PromptEncoder(256, (8, 8), (128, 128), 4)
    transformer = parts.TwoWayTransformer(1, 256, 2, 32)
    decoder = parts.MaskDecoder(transformer_dim=256, transformer=transformer)
    return parts.Sam(encoder, prompts, decoder).eval()
