"""A finished run and images -> maps of where the logit comes from, and can they be believed.

One method per file in `methods/`; here is what they share: the detector as something to be
asked, the two checks of a map, pictures and the page.
"""
