"""The speed promises, each a ratio measured in one run: `make bench`.

One file here is one group of benchmarks; `run(quick)` returns its rows.
"""
