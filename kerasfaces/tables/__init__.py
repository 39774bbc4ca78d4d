"""Somebody's table, in whatever form it is kept -> names and rows of text.

The one step in which every reader of a table (manifests, tables to build one from,
attributes, predictions of others) finds out what it was given: encoding, separator,
quotes, an index column; JSON, Excel or Parquet. What was assumed is said in `notes`;
what could be two things is refused in one sentence. What the columns mean is for the
reader to say.
"""

from kerasfaces.tables.columns import Table
from kerasfaces.tables.read import in_memory, read

__all__ = ["Table", "in_memory", "read"]
