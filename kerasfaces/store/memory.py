"""Memory for arrays of one size, used again once no array of it is left.

Fresh memory is cleared by the system first, a page at a time: for a batch that costs as
much as half the copy into it.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64  # TensorFlow takes such arrays without a copy


class ArrayPool:
    """Arrays to fill, whose memory is used again.

    Whether an array of some memory is left is asked of Python's buffer protocol:
    a bytearray refuses to change its size while anything refers to its content.

    Args:
        max_reused: Largest number of pieces of memory to use again.
        max_bytes: Largest size of such a piece.
    """

    def __init__(self, max_reused: int, max_bytes: int) -> None:
        self._max_reused, self._max_bytes = max_reused, max_bytes
        self._lock = threading.Lock()
        self._pieces: list[bytearray] = []

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array of any content that shares its memory with no other one."""
        size = int(np.prod(shape)) * dtype.itemsize
        with self._lock:
            memory = np.frombuffer(self._take(size + _ALIGNMENT), np.uint8)
            start = -memory.ctypes.data % _ALIGNMENT
            return memory[start : start + size].view(dtype).reshape(shape)

    def _take(self, size: int) -> bytearray:
        for memory in self._pieces:
            if len(memory) == size and _is_free(memory):
                return memory
        memory = bytearray(size)
        _is_free(memory)  # the first time a bytearray grows, it may move
        if size <= self._max_bytes:
            self._pieces = [memory, *self._pieces][: self._max_reused]
        return memory


def _is_free(memory: bytearray) -> bool:
    try:
        memory.append(0)
    except BufferError:  # an array of it is left
        return False
    memory.pop()
    return True
