"""Hours of silence in few bytes: FLAC whose every block is one constant."""

from collections.abc import Iterator

RATE_HZ = 8000
BLOCK = 65_535
"""Samples; the most that a block has."""


def _table(polynomial: int, bits: int) -> list[int]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    found = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1) ^ polynomial if value & top else value << 1
        found.append(value & mask)
    return found


_CRC8 = _table(0x07, 8)
_CRC16 = _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = ((value << 8) & 0xFFFF) ^ _CRC16[(value >> 8) ^ byte]
    return value


def _frame(number: int) -> bytes:
    # Sync, fixed blocks; 16 bits of block size follow, 8 kHz; one channel of 16 bits.
    head = b"\xff\xf8\x74\x08" + chr(number).encode("utf-8", "surrogatepass")
    head += (BLOCK - 1).to_bytes(2, "big")
    head += bytes([_crc8(head)])
    body = head + b"\x00\x00\x00"  # a constant: zero
    return body + _crc16(body).to_bytes(2, "big")


def _frames(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield _frame(number)


def silence(hours: float, *, says_h: float | None = None) -> bytes:
    """Return a file.

    Args:
        hours: How long it is.
        says_h: How long it says to be; None for the truth, 0 for nothing.
    """
    count = round(hours * 3600 * RATE_HZ / BLOCK) + 1
    total = count * BLOCK if says_h is None else round(says_h * 3600 * RATE_HZ)
    info = BLOCK.to_bytes(2, "big") * 2 + bytes(6)
    info += ((RATE_HZ << 44) | (15 << 36) | total).to_bytes(8, "big") + bytes(16)
    head = b"fLaC\x80" + len(info).to_bytes(3, "big") + info
    return head + b"".join(_frames(count))
