"""Writes Parquet files page by page, for the forms that PyArrow reads and does not write.

Source: parquet-format (README.md, Encodings.md, parquet.thrift) and Thrift's compact protocol.
"""
import gzip
import struct
import zlib

import pyarrow as pa

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED = range(8)
REQUIRED, OPTIONAL, REPEATED = range(3)
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, DELTA, DELTA_LENGTH, DELTA_BYTES, RLE_DICTIONARY, BYTE_STREAM_SPLIT = 0, 2, 3, 4, 5, 6, 7, 8, 9
CODECS = {"none": 0, "snappy": 1, "gzip": 2, "brotli": 4, "lz4": 5, "zstd": 6, "lz4_raw": 7}


class I8(int):
    code = 3


class I32(int):
    code = 5


class Struct(dict):
    """Field number to value; None is left out."""


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def zigzag(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def code_of(value):
    if isinstance(value, bool):
        return 1 if value else 2
    if isinstance(value, int):
        return getattr(value, "code", 6)
    return 8 if isinstance(value, (bytes, str)) else 9 if isinstance(value, list) else 12


def encoded(value):
    if isinstance(value, I8):
        return struct.pack("b", value)
    if isinstance(value, int):
        return zigzag(value)
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(len(value)) + value
    if isinstance(value, list):
        code = code_of(value[0]) if value else 12
        head = bytes([len(value) << 4 | code]) if len(value) < 15 else bytes([0xF0 | code]) + varint(len(value))
        return head + b"".join(map(encoded, value))
    out, last = b"", 0
    for number in sorted(value):
        if value[number] is None:
            continue
        code = code_of(value[number])
        out += bytes([number - last << 4 | code])
        out += b"" if code in (1, 2) else encoded(value[number])
        last = number
    return out + b"\0"


def element(name, kind=None, repetition=None, children=None, converted=None, length=None, scale=None, precision=None, logical=None):
    numbers = {1: kind, 2: length, 3: repetition, 5: children, 6: converted, 7: scale, 8: precision}
    return Struct({key: I32(value) for key, value in numbers.items() if value is not None} | {4: name, 10: logical})


def runs(values, width):
    """The hybrid encoding with runs of equal values alone."""
    out, start = b"", 0
    while start < len(values):
        end = start
        while end < len(values) and values[end] == values[start]:
            end += 1
        out += varint((end - start) << 1) + values[start].to_bytes((width + 7) // 8, "little")
        start = end
    return out


def packed(values, width):
    number = sum(value << index * width for index, value in enumerate(values))
    return number.to_bytes((len(values) * width + 7) // 8, "little")


def packed_from_top(values, width):
    """The deprecated BIT_PACKED: most significant bit first."""
    text = "".join(format(value, f"0{width}b") for value in values)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[start:start + 8], 2) for start in range(0, len(text), 8))


def levels(values, width):
    body = runs(values, width)
    return struct.pack("<I", len(body)) + body


def delta(values, block, miniblocks):
    out = varint(block) + varint(miniblocks) + varint(len(values)) + zigzag(values[0])
    steps = [after - before for before, after in zip(values, values[1:])]
    size = block // miniblocks
    for start in range(0, len(steps), block):
        least = min(steps[start:start + block])
        widths, bodies = [], b""
        for first in range(start, start + block, size):
            rest = [step - least for step in steps[first:min(first + size, start + block)]]
            width = max((value.bit_length() for value in rest), default=0)
            widths.append(width)
            bodies += packed(rest + [0] * (size - len(rest)), width) if rest else b""
        out += zigzag(least) + bytes(widths) + bodies
    return out


def compressed(data, codec):
    if codec == "none":
        return data
    if codec == "gzip":
        return gzip.compress(data, mtime=0)
    if codec == "lz4":
        block = pa.compress(data, codec="lz4_raw", asbytes=True)
        return struct.pack(">II", len(data), len(block)) + block
    return pa.compress(data, codec=codec, asbytes=True)


def page(kind, header, number, body, stored, levels_count=0):
    crc = struct.unpack("<i", struct.pack("<I", zlib.crc32(stored)))[0]
    head = encoded(Struct({1: I32(kind), 2: I32(len(body) + levels_count), 3: I32(len(stored)), 4: I32(crc), number: Struct(header)}))
    return head + stored, len(head) + len(body) + levels_count


def page_v1(count, body, encoding, codec="none", definition=RLE, stored=None):
    stored = compressed(body, codec) if stored is None else stored
    return page(0, {1: I32(count), 2: I32(encoding), 3: I32(definition), 4: I32(RLE)}, 5, body, stored)


def page_v2(count, nulls, body, encoding, codec="none", definition=b"", is_compressed=None):
    stored = body if is_compressed is False else compressed(body, codec)
    header = {1: I32(count), 2: I32(nulls), 3: I32(count), 4: I32(encoding), 5: I32(len(definition)), 6: I32(0), 7: is_compressed}
    return page(3, header, 8, body, definition + stored, len(definition))


def dictionary(count, body, codec="none", encoding=PLAIN):
    return page(2, {1: I32(count), 2: I32(encoding)}, 7, body, compressed(body, codec))


def column(path, kind, count, pages, codec="none", has_dictionary=False):
    return path, kind, count, pages, codec, has_dictionary


def write(target, schema, rows, columns):
    """One row group; `schema` without its root, of as many top-level fields as are not children of others."""
    out, chunks, total = bytearray(b"PAR1"), [], 0
    for path, kind, count, pages, codec, has_dictionary in columns:
        offsets, decoded = [], 0
        for data, byte_count in pages:
            offsets.append(len(out))
            out += data
            decoded += byte_count
        metadata = Struct({
            1: I32(kind), 2: [I32(PLAIN), I32(RLE)], 3: path, 4: I32(CODECS[codec]), 5: count, 6: decoded, 7: len(out) - offsets[0],
            9: offsets[1 if has_dictionary else 0], 11: offsets[0] if has_dictionary else None})
        chunks.append(Struct({2: offsets[0], 3: metadata}))
        total += decoded
    top = len({path[0] for path, *_ in columns})
    footer = encoded(Struct({
        1: I32(2), 2: [element("schema", children=top), *schema], 3: rows, 4: [Struct({1: chunks, 2: total, 3: rows})], 6: "handmade"}))
    target.write_bytes(out + footer + struct.pack("<I", len(footer)) + b"PAR1")
