"""Made-up predictions: no model, no photo."""

import numpy as np
import pandas as pd


def make_predictions(split="test", n=80, seed=0, shift=2.0):
    """Return predictions of one split: two camera sets, two generators, two attributes."""
    random = np.random.default_rng([seed, n, len(split)])
    index = np.arange(n)
    fake = index % 2 == 1
    frame = pd.DataFrame(
        {
            "path": [f"{split}/{i:04d}.png" for i in index],
            "label": np.where(fake, "fake", "real"),
            "source": np.where(
                fake,
                np.where(index % 4 == 1, "gan", "diffusion"),
                np.where(index % 4 == 0, "camera", "phone"),
            ),
            "split": split,
            "logit": random.normal(0, 1, n) + shift * fake - shift / 2,
            "score": np.nan,
            "reason": "",
            "pair_id": [str(i // 2) for i in index],
            "attr_gender": random.choice(["man", "woman"], n),
            "attr_glasses": random.choice(["glasses", "none", ""], n),
        }
    )
    texts = [name for name in frame if name not in ("logit", "score")]
    return frame.astype(dict.fromkeys(texts, object))
