"""Rows of results.json by line and column."""


def lines(results, table):
    """Return (line, column) -> row of a table."""
    return {
        (row["row"], row["metric"]): row
        for row in results["rows"]
        if row["table"] == table
    }
