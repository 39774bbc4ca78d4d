"""Every number of the document, as printed there.

Its data: 70,000 + 30,000 + 30,000 reals are not the 103,463 it states, and 8,505 + 6,350 +
676 fakes of Quintic AI are not its 15,076. "Baseline (Ours)" has one AUC and there are two
baselines, of which the logistic regression is called "our baseline model". Its 99 % is
what Mandelli et al. report of their networks on their own images.
"""

DATA = (
    "FFHQ, CelebA-HQ, photos of Quintic AI; Generated.photos, StyleGAN, StyleGAN2, Stable "
    "Diffusion, Midjourney, DALL-E 2: other images than ours"
)
BASELINE, RIVAL, MODEL = "baseline (logistic)", "aggregated CNNs", "CNN-ResNet50"
# (table here, line, column) -> number.
VALUES = {
    ("data", "real", "images"): 103_463,
    ("data", "fake", "images"): 63_646,
    ("result", BASELINE, "auc"): 0.62,
    ("result", RIVAL, "auc"): 0.54,
    ("result", MODEL, "auc"): 0.92,
    ("conclusion", f"{RIVAL}, as trained", "accuracy"): 0.99,
}
