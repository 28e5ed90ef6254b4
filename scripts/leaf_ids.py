"""Computes leaf ids from leaf files with PyArrow alone, by the text of docs/format/leaf.md; a helper of scripts/test-readers.sh.

    python scripts/leaf_ids.py REPOSITORY

The id of each leaf file must be its name. The last line is "N passed, N failed".
"""
import decimal
import hashlib
import pathlib
import struct
import sys

import pyarrow as pa
import pyarrow.parquet as pq

EXACT = decimal.Context(prec=60)
INTEGER, FLOAT, BOOL, STRING, BINARY, DATE, TIMESTAMP, DECIMAL = range(1, 9)


def packed(bits):
    """Bits with the least significant first, the last byte padded with zeros."""
    number = sum(1 << index for index, bit in enumerate(bits) if bit)
    return number.to_bytes((len(bits) + 7) // 8, "little")


def class_and_bytes(kind, values):
    """The type class and the bytes of the values that are not null."""
    if pa.types.is_boolean(kind):
        return BOOL, packed(values)
    if pa.types.is_integer(kind):
        return INTEGER, b"".join((value & (2**64 - 1)).to_bytes(8, "little") for value in values)
    if pa.types.is_floating(kind):
        return FLOAT, struct.pack(f"<{len(values)}d", *values)
    if pa.types.is_date32(kind):
        return DATE, b"".join(struct.pack("<i", value) for value in values)
    if pa.types.is_timestamp(kind):
        assert kind.unit == "us", kind
        return TIMESTAMP, struct.pack(f"<{len(values)}q", *values)
    if pa.types.is_decimal(kind):
        unscaled = [int(value.scaleb(kind.scale, EXACT)) for value in values]
        return DECIMAL, bytes([kind.scale]) + b"".join(value.to_bytes(16, "little", signed=True) for value in unscaled)
    texts = [value.encode() if isinstance(value, str) else value for value in values]
    data = struct.pack(f"<{len(texts)}Q", *map(len, texts)) + b"".join(texts)
    return (STRING if pa.types.is_string(kind) or pa.types.is_large_string(kind) else BINARY), data


def plain(column):
    """The values as Python objects: times as their counts, since Python's own times reach less far."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).to_pylist()
    return column.cast(pa.int32()).to_pylist() if pa.types.is_date32(column.type) else column.to_pylist()


def leaf_id(table):
    entries = []
    for field, column in zip(table.schema, table.columns):
        if column.null_count == len(column):
            continue
        values = plain(column)
        code, data = class_and_bytes(field.type, [value for value in values if value is not None])
        digest = hashlib.sha256(packed([value is not None for value in values]) + data).digest()
        entries.append((int(field.metadata[b"PARQUET:field_id"]), code, digest))
    entries.sort()
    text = struct.pack(">Q", table.num_rows) + b"".join(struct.pack(">IB", number, code) + digest for number, code, digest in entries)
    return hashlib.sha256(text).hexdigest()


def main(repository):
    passed = failed = 0
    folder = pathlib.Path(repository) / ".almanac" / "leaves"
    for path in sorted(folder.rglob("*.parquet")):
        name = path.parent.name + path.stem
        found = leaf_id(pq.ParquetFile(path).read())
        passed, failed = (passed + 1, failed) if found == name else (passed, failed + 1)
        if found != name:
            print(f"FAILED: the rows of {path.name} have the leaf id {found}")
    print(f"leaf ids computed by PyArrow {pa.__version__}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
