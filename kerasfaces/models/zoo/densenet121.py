"""DenseNet-121 (Huang et al. 2017, arXiv 1608.06993): mudgal2023's convolutional network.

The last layer's 1,024 maps (the document's 1058 is a slip), averaged, into one logit; all
of it is trained by the document's recipe. `train_base=False` keeps it frozen.
"""

import keras

from kerasfaces.models.architecture import PixelNetwork, application
from kerasfaces.models.config import Options
from kerasfaces.models.layers import normalisation
from kerasfaces.models.published import KerasFile
from kerasfaces.models.weights import Sources

ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources(
        "DenseNet-121",
        imagenet=KerasFile(
            "densenet",
            "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
            md5="30ee3e1110167f948a6b9946edeeb738",
        ),
    ),
    end_to_end=False,  # unless `train_base` says otherwise
    training="mudgal2023",
    base=lambda config, start: start.load(application(keras.applications.DenseNet121)),
    preprocessing=lambda: [normalisation()],
)
