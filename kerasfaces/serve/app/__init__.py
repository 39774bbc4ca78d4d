"""The app: a page in the browser that gives the whole answer to pictures.

    launch    settings -> the command that starts Streamlit on `page.py`
    page      the page: choice of run, the detector's card, and a tab for each of
    one, many, make, visit
    verdict   an answer -> what is shown of it; its further tabs are files of `details/`
    shared    what all visitors share: opened detectors

Uploads stay in memory. The command is `kerasfaces app`.
"""
