"""Each source document's experiments, and ours, on any manifest.

One folder each. A folder with an `experiment.py` runs under `python -m experiments NAME`:
its docstring's first line is what the list shows, `MODELS`, `SEEDS` and `TITLES` say what
it needs and prints, `run(context)` returns its rows; `finish(folder, results)`, where
there is one, writes a page of its own. Beside it lie a README and the recorded
results.json. `all` finds every folder by itself (`framework/everything.py`).
"""
