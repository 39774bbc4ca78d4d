"""A form with files, read in memory as it comes; python-multipart knows the syntax."""

from typing import TYPE_CHECKING, NamedTuple

from python_multipart.multipart import MultipartParser, parse_options_header

from kerasfaces.serve.http.refusals import Refusal

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MULTIPART = "multipart/form-data"
_NAME = 255  # characters of a client's own name for a file that are repeated


class Part(NamedTuple):
    """One field of a form; a file if it has a file's name, which may be empty."""

    field: str
    file_name: str | None
    data: bytearray


class Form:
    """A form that is written piece by piece: its parts so far, and whether its end has come."""

    def __init__(self, content_type: str, max_parts: int) -> None:
        """Begin to read a form of that content type; Refusal where it names no boundary."""
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise Refusal(400, f"the content type is {MULTIPART} without a boundary")
        self.parts: list[Part] = []
        self.is_whole = False
        self._max_parts = max_parts
        self._header, self._value, self._disposition = b"", b"", b""
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_to_header,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_to_data,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except ValueError as error:
            raise Refusal(400, "the boundary of the form is too long") from error

    def write(self, data: bytes) -> None:
        """Read a piece; Refusal where it is damaged, or there are too many parts."""
        try:
            self._parser.write(data)
        except ValueError as error:
            raise Refusal(400, "the form is damaged") from error

    def _begin(self) -> None:
        if len(self.parts) >= self._max_parts:
            raise Refusal(413, f"more than {self._max_parts} parts in one form")
        self._disposition = b""

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _end_headers(self) -> None:
        options = parse_options_header(self._disposition.decode("latin-1"))[1]
        if b"name" not in options:
            raise Refusal(400, "a part of the form has no name")
        name = options.get(b"filename")
        file_name = None if name is None else _last_part(_text(name))
        self.parts.append(Part(_text(options[b"name"]), file_name, bytearray()))

    def _add_to_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data.extend(data[start:end])

    def _end(self) -> None:
        self.is_whole = True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _last_part(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2][:_NAME]
