"""Predictions -> operating point, metrics with intervals, tables and one report.

Neither Keras nor torch is needed: everything is read from `predictions_<split>.csv`, so
a detector written by somebody else enters the same tables as a CSV file.
"""
