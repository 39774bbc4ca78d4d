"""Tabs below a verdict.

A tab is one file with

- `TITLE` and `ORDER`: its heading, and its place among the others;
- `applies(answer, loaded)`: whether what it needs is here;
- `show(answer, picture, loaded)`: draws it with Streamlit.
"""
