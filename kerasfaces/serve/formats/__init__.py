"""What a network can be exported to: one file per format, named as on the command line.

Each has `FILE`, the name it writes; `MODULES`, what it imports beside TensorFlow;
`RUNTIME`, the package that runs the file; `ADVICE`, for whoever runs it; `write(traced,
path)`; and `opened(path)`, which returns images `(n, h, w, c)` float32 -> `(n, 1)` logits
by that runtime.
"""
