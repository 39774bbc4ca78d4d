"""The library as its users see it: `kerasfaces` itself shows these names.

Data, detectors and results are objects over the files that the stages write: what is
made here can be continued on the command line, and the other way round.
"""
