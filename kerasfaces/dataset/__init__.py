"""Stage dataset: files or stores -> batches.

`cache` decodes each image once into a uint8 store, `batches` reads stores by whole
batches (tf.data, or NumPy under another Keras backend), `augment` changes images as
Keras layers that are never part of a saved model.
"""
