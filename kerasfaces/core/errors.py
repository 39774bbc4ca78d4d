"""Errors a user can mend.

Every class here is a user's mistake (or a fact about the user's files or machine): the
command line prints its message as one sentence on stderr and exits with code 2. Anything
else is a defect of ours and keeps its traceback.

A message says what is wrong, where (file, line), what was expected, what was found, and
the next step.
"""


class KerasfacesError(Exception):
    """Base of all errors the command line prints as one sentence."""


class InputError(KerasfacesError, ValueError):
    """An argument, a file's content or a combination of both cannot be used."""


class MissingFileError(KerasfacesError, FileNotFoundError):
    """A file or folder that should exist does not."""


class ImageError(KerasfacesError, ValueError):
    """One image cannot be decoded; the message is the short reason, without the path."""


class TemporaryImageError(ImageError):
    """True of this machine now, not of the image: no cache should remember it."""


class ImageMemoryError(TemporaryImageError):
    """Memory ran out while an image was decoded: it may work next time."""


class MissingDecoderError(TemporaryImageError):
    """Nothing installed here reads this kind of picture; the message says what would."""


class StoreError(KerasfacesError, ValueError):
    """A store on disk is damaged, of another version, or of another recipe."""


class RunError(KerasfacesError, ValueError):
    """A run folder is incomplete, or belongs to another configuration."""


class OutOfBudgetError(KerasfacesError, RuntimeError):
    """Nothing new may be started: the hours that were given are spent."""


class LockedError(KerasfacesError, OSError):
    """Another live process is writing the same folder."""


class MissingExtraError(KerasfacesError, ImportError):
    """An optional dependency is not installed; the message gives the pip command."""
