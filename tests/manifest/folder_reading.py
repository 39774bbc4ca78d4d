"""Folders as rows, the way `Manifest.from_folders` reads their names."""

from kerasfaces.manifest import folders
from kerasfaces.manifest.folder_names import FolderInput


def from_folders(folder):
    return folders.read([FolderInput(path=folder)]).manifest
