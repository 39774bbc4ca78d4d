"""Plain rows in, HTML out: markup, charts and the page of every report; no stage."""
