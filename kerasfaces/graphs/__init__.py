"""Small networks that others published as TensorFlow.js graph models, run as ONNX graphs.

`graph_model` reads their two files, `writer` writes them as an `onnx_graph`, `session` runs it;
`collection` says which graphs there are, under which licence, and how each is had.
"""
