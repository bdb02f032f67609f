"""The shard's end of a worker's pipe: it never waits for the worker.

A worker may send half a message, or read no answer. So what comes is put together bit by bit, and
what goes is kept until it is taken. Messages are framed as `multiprocessing.connection.Connection`
does, which is what the worker holds: four bytes of length, then the message.
"""

import os
import struct
from contextlib import suppress
from multiprocessing.connection import Connection

_LENGTH = struct.Struct("!i")
_AT_ONCE = 1 << 20


class Channel:
    """A pipe that is read and written without waiting.

    Args:
        connection: The shard's end.
        limit: The longest message that is taken, bytes.
    """

    def __init__(self, connection: Connection, limit: int) -> None:
        self._connection, self._limit = connection, limit
        self._received, self._unsent = bytearray(), memoryview(b"")
        os.set_blocking(connection.fileno(), False)

    def fileno(self) -> int:
        """Return the pipe's descriptor, to wait for."""
        return self._connection.fileno()

    @property
    def is_sending(self) -> bool:
        """Whether something is left that the worker has yet to take."""
        return bool(self._unsent)

    def send(self, message: bytes) -> None:
        """Begin to send a message, after the one before is sent.

        Raises:
            OSError: Nobody is there to read it.
        """
        self._unsent = memoryview(_LENGTH.pack(len(message)) + message)
        self.go_on_sending()

    def go_on_sending(self) -> None:
        """Send what the pipe takes now.

        Raises:
            OSError: Nobody is there to read it.
        """
        with suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[os.write(self.fileno(), self._unsent[:_AT_ONCE]) :]

    def receive(self) -> bytes | None:
        """Read what is there, of one message at most; return it once it is complete.

        Raises:
            EOFError: The other end is closed.
            OSError: The message is too long, or the pipe is broken.
        """
        with suppress(BlockingIOError):
            read = os.read(self.fileno(), min(self._missing(), _AT_ONCE))
            if not read:
                raise EOFError
            self._received += read
        if self._missing():
            return None
        message, self._received = bytes(self._received[_LENGTH.size :]), bytearray()
        return message

    def _missing(self) -> int:
        """Return how many bytes the length lacks, or, where it is known, the message."""
        if len(self._received) < _LENGTH.size:
            return _LENGTH.size - len(self._received)
        (length,) = _LENGTH.unpack_from(self._received)
        if not 0 <= length <= self._limit:
            raise OSError("bad message length")
        return _LENGTH.size + int(length) - len(self._received)

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
