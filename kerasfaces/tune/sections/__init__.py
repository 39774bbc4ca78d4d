"""Sections of a study's report: one file each, `report(data)` returns a Section or None.

`ORDER` is the section's place on the page; None leaves it out.
"""
