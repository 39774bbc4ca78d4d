"""A finished run -> a repository of Hugging Face, and back.

    contents   run folder -> the files that leave, without anything of who made them
    privacy    looks through them for file names, paths, user and host
    card       the run's own results -> README.md, example.py
    upload     through huggingface_hub, with a Space that shows the app
    fetch      hf://OWNER/NAME[@REVISION] -> run folder, every file by its hash

The command is `kerasfaces publish`.
"""
