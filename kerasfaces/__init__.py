"""kerasfaces: detect AI-generated face images, and know how well it works.

The pipeline, in order; each stage reads and writes files (`python -m kerasfaces` prints
them with their inputs and outputs):

    sample -> manifest -> train -> evaluate -> attribute, explain, predict, export

Importing this package imports neither Keras, TensorFlow nor torch.
"""

__version__ = "0.1.0"
