"""Rows of a manifest -> the same rows with attributes of the face in each picture.

`annotators/` holds one file per annotator; `answers` runs them over pictures and keeps what
they said in the cache; `columns` makes `attr_*`, `annotated_*` and `face_*` columns of it;
`measure` compares them with labels that the rows state.
"""
