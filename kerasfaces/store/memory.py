"""Memory for arrays of one size, used again once nobody holds an array made from it.

Fresh memory is cleared by the system first, a page at a time: for a batch that costs as
much as half the copy into it.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64  # TensorFlow takes such arrays without a copy


class ArrayPool:
    """Arrays to fill, from memory that is kept.

    Whether an array of some memory is still held is asked of Python's buffer protocol:
    a bytearray refuses to change its size while anything refers to its content.
    """

    def __init__(self, max_kept: int, max_bytes: int) -> None:
        """Start empty.

        Args:
            max_kept: Largest number of pieces of memory that are kept.
            max_bytes: Largest size of a piece that is kept.
        """
        self._max_kept, self._max_bytes = max_kept, max_bytes
        self._lock = threading.Lock()
        self._kept: list[bytearray] = []

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array of any content that shares its memory with no other one."""
        size = int(np.prod(shape)) * dtype.itemsize
        with self._lock:
            memory = np.frombuffer(self._take(size + _ALIGNMENT), np.uint8)
            start = -memory.ctypes.data % _ALIGNMENT
            return memory[start : start + size].view(dtype).reshape(shape)

    def _take(self, size: int) -> bytearray:
        for memory in self._kept:
            if len(memory) == size and _is_free(memory):
                return memory
        memory = bytearray(size)
        _is_free(memory)  # the first time a bytearray grows, it may move
        if size <= self._max_bytes:
            self._kept = [memory, *self._kept][: self._max_kept]
        return memory


def _is_free(memory: bytearray) -> bool:
    try:
        memory.append(0)
    except BufferError:  # an array of it is held
        return False
    memory.pop()
    return True
