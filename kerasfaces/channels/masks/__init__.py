"""Pixels -> which of them are the face; one module per way, chosen by name.

`none`, `ellipse`, `grabcut` and `sam` are alternatives with different arrays as their
result: none ever stands in for another. What each promises: `_contract.py`.
"""
