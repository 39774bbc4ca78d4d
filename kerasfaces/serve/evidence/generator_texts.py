"""What tools of image generators write beside a picture: prompts, settings, workflows.

The keywords are those of the tools' own source code: AUTOMATIC1111's web UI and its forks
(`parameters`, in JPEG and WebP EXIF's user comment), ComfyUI (`prompt`, `workflow`),
InvokeAI (`invokeai_metadata`, earlier `sd-metadata` and `Dream`), Fooocus
(`fooocus_scheme`), NovelAI (`Software`).
"""

import re

from kerasfaces.serve.evidence._contract import Evidence, File, shown

TITLE = "Generator's settings"
_USER_COMMENT = 0x9286
_TOOLS = {
    "invokeai_metadata": "InvokeAI",
    "invokeai_graph": "InvokeAI",
    "sd-metadata": "InvokeAI",
    "Dream": "InvokeAI",
    "fooocus_scheme": "Fooocus",
    "workflow": "ComfyUI",
    "prompt": "ComfyUI",
    "parameters": "Stable Diffusion's web UI or a fork of it",
}
_GRAPH = re.compile(r'"(class_type|nodes)"\s*:')  # of a ComfyUI workflow
_SETTINGS = re.compile(r"\bSteps: \d+.*\b(Sampler|CFG scale|Seed): ", re.DOTALL)


def read(file: File) -> list[Evidence]:
    """Return each tool whose settings are in the file."""
    texts = dict(file.texts)
    comment = file.exif.get(_USER_COMMENT, "")
    if _SETTINGS.search(comment):
        texts.setdefault("parameters", comment)
    tools: dict[str, dict[str, str]] = {}
    for keyword, tool in _TOOLS.items():
        text = texts.get(keyword, "")
        if not text or (tool == "ComfyUI" and not _GRAPH.search(text)):
            continue  # `prompt` is a common word
        tools.setdefault(tool, {})[keyword] = shown(text)
    return [
        Evidence(
            finding="generated",
            state="unsigned",
            sentence=f"The file holds the settings that {tool} writes into the pictures it "
            "makes (unsigned: anyone can write them).",
            details=details,
        )
        for tool, details in tools.items()
    ]
