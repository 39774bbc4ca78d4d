"""Several detectors on the images all of them scored: compared, or joined into one.

`detectors` reads run folders and other people's tables, `shared_rows` aligns them,
`comparison` measures and tests their differences, `ensemble` joins them.
"""
