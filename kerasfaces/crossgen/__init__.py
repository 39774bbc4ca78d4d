"""Does a detector hold on a generator it has never seen?

A manifest with several generators and a training configuration enter; one run folder per
training set and seed leaves (train on each generator alone, on all, on all but one), and
`crossgen.json`, `crossgen.csv` and `report.html` over all of them. Every run is tested on
every generator, with the same real images on each side of its split.
"""
