"""Where faces are: pixels -> boxes, scores and landmarks, by one detector for all stages.

BlazeFace, whose weights are in the package, run by ONNX Runtime or OpenVINO: `blazeface` is
the network, `windows` what it sees of a large picture, `detection` what is made of its
answers, `crops` and `policy` what a detector of fakes is shown of a face.
"""

from kerasfaces.faces.blazeface import is_available as is_available
from kerasfaces.faces.blazeface import recipe as recipe
from kerasfaces.faces.detection import detect as detect
from kerasfaces.faces.detection import main_face as main_face
from kerasfaces.faces.face import Face as Face
