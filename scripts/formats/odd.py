"""Odd but legal files, compared with PyArrow value by value, and damaged ones, which must be refused.

    python scripts/formats/odd.py ALMANAC [SEED]

Legacy nested forms, stored types and pages that no writer of today makes (handmade.py), strange names, Arrow's rarer layouts, and files
that are cut or have bits flipped: those are read, or refused with exit code 4 and a sentence, within the time and memory limits.
"""
import decimal
import itertools
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

import handmade as hand
from common import Tally, columns, difference, lines, run
from handmade import BYTE_ARRAY, FIXED, INT32, INT64, OPTIONAL, REPEATED, REQUIRED, column, element, levels, page_v1, page_v2
from tables import table


class Checks:
    def __init__(self, almanac, work):
        self.almanac, self.work, self.tally = almanac, pathlib.Path(work), Tally()
        self.parquet, self.arrow, self.stream = (self.work / name for name in ("odd.parquet", "odd.arrow", "odd.arrows"))

    def reads(self, path, expected, what):
        """JSON Lines, Parquet and Arrow made of the file hold the expected table."""
        names = expected.column_names
        wanted = columns(expected)
        for name in ["out.jsonl", "out.parquet", "out.arrow"]:
            output = self.work / name
            code, said = run(self.almanac, "convert", path, output)
            if code != 0:
                self.tally.note(False, f"{what} to {name}: exit {code}: {said:.300}")
                continue
            if name == "out.jsonl":
                found = lines(output, names)
            else:
                found = columns((pq.ParquetFile(output).read() if name == "out.parquet" else ipc.open_file(output).read_all()).select(names))
            wrong = difference(wanted, found, names)
            self.tally.note(wrong is None, f"{what} to {name}: {wrong}")
        code, said = run(self.almanac, "inspect", "--pages", path)
        self.tally.note(code == 0, f"inspect {what}: exit {code}: {said:.200}")

    def hand(self, what, schema, rows, *chunks, expected=None):
        hand.write(self.parquet, schema, rows, chunks)
        self.reads(self.parquet, expected or pq.ParquetFile(self.parquet).read(), what)

    def both(self, source, what, **options):
        for path, make in ((self.arrow, ipc.new_file), (self.stream, ipc.new_stream)):
            with make(path, source.schema, options=ipc.IpcWriteOptions(**options)) as writer:
                writer.write_table(source)
            self.reads(path, source, f"{what}, {path.suffix}")


def ints(values):
    return struct.pack(f"<{len(values)}i", *values)


def texts(values):
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def leaf(path, kind, data, repetition, definition, depth, most):
    """A column of one page: `depth` repeated nodes, `most` the greatest definition level."""
    head = (levels(repetition, depth.bit_length()) if depth else b"") + levels(definition, most.bit_length())
    return column(path, kind, len(definition), [page_v1(len(definition), head + data, hand.PLAIN)])


# Four rows: two elements, none, null, one element.
FOUR = [0, 1, 0, 0, 0]


def legacy_nesting(checks):
    for annotation in (dict(converted=3), dict(converted=3, logical=hand.Struct({3: hand.Struct()})), dict(logical=hand.Struct({3: hand.Struct()}))):
        checks.hand(
            f"a list of two levels, {sorted(annotation)}",
            [element("l", repetition=OPTIONAL, children=1, **annotation), element("element", INT32, REPEATED)], 4,
            leaf(["l", "element"], INT32, ints([1, 2, 3]), FOUR, [2, 2, 1, 0, 2], 1, 2))
    for name in ["array", "l_tuple", "list", "bag", "element", "whatever"]:
        checks.hand(
            f"a list whose repeated group of one field is named {name}",
            [element("l", repetition=OPTIONAL, children=1, converted=3), element(name, repetition=REPEATED, children=1),
             element("item", BYTE_ARRAY, OPTIONAL, converted=0)], 4,
            leaf(["l", name, "item"], BYTE_ARRAY, texts([b"a", b"c"]), FOUR, [3, 2, 1, 0, 3], 1, 3))
    checks.hand(
        "a list of two levels of structures",
        [element("l", repetition=OPTIONAL, children=1, converted=3), element("element", repetition=REPEATED, children=2),
         element("s", BYTE_ARRAY, REQUIRED, converted=0), element("n", INT32, REQUIRED)], 4,
        leaf(["l", "element", "s"], BYTE_ARRAY, texts([b"a", b"b", b"c"]), FOUR, [2, 2, 1, 0, 2], 1, 2),
        leaf(["l", "element", "n"], INT32, ints([1, 2, 3]), FOUR, [2, 2, 1, 0, 2], 1, 2))
    checks.hand(
        "a list of lists of two levels",
        [element("a", repetition=OPTIONAL, children=1, converted=3), element("array", repetition=REPEATED, children=1, converted=3),
         element("array", INT32, REPEATED)], 2,
        leaf(["a", "array", "array"], INT32, ints([1, 2, 3]), [0, 2, 1, 0], [3, 3, 3, 0], 2, 3))
    checks.hand(
        "a repeated group with a repeated field, without annotations",
        [element("g", repetition=REPEATED, children=2), element("a", INT32, OPTIONAL), element("b", INT32, REPEATED)], 2,
        leaf(["g", "a"], INT32, ints([1, 3]), [0, 1, 0], [2, 1, 2], 1, 2), leaf(["g", "b"], INT32, ints([5, 6]), [0, 2, 1, 0], [2, 2, 1, 1], 2, 2))
    for outer, inner, name in itertools.product((1, 2), (None, 2), ("key_value", "map")):
        checks.hand(
            f"a map annotated {outer} over {inner} named {name}",
            [element("m", repetition=OPTIONAL, children=1, converted=outer), element(name, repetition=REPEATED, children=2, converted=inner),
             element("key", BYTE_ARRAY, REQUIRED, converted=0), element("value", INT32, OPTIONAL)], 4,
            leaf(["m", name, "key"], BYTE_ARRAY, texts([b"a", b"b", b"c"]), FOUR, [2, 2, 1, 0, 2], 1, 2),
            leaf(["m", name, "value"], INT32, ints([1, 3]), FOUR, [3, 2, 1, 0, 3], 1, 3))


def stored_types(checks):
    values = [1234, -1234, 0, -1, 1]
    expected = pa.table({"d": pa.array([decimal.Decimal(value).scaleb(-2) for value in values], pa.decimal128(4, 2))})
    forms = [(INT32, None, ints(values)), (INT64, None, struct.pack("<5q", *values))]
    forms += [(FIXED, length, b"".join(v.to_bytes(length, "big", signed=True) for v in values)) for length in (2, 3, 8, 9, 16, 17, 32)]
    forms.append((BYTE_ARRAY, None, texts([v.to_bytes(n, "big", signed=True) for v, n in zip(values, [2, 4, 1, 16, 20])])))
    for kind, length, data in forms:
        checks.hand(
            f"decimals stored as type {kind} of length {length}", [element("d", kind, REQUIRED, converted=5, length=length, scale=2, precision=4)],
            5, column(["d"], kind, 5, [page_v1(5, data, hand.PLAIN)]), expected=expected)
    ticks = [0, 1, -1, 253_402_300_799]
    for number, unit, factor in ((1, "ms", 1000), (2, "us", 10**6), (3, "ns", 10**9)):
        # The last one is beyond 64 bits of nanoseconds: all are microseconds then.
        kept, scale = ("us", 10**6) if unit == "ns" else (unit, factor)
        logical = hand.Struct({8: hand.Struct({1: True, 2: hand.Struct({number: hand.Struct()})})})
        data = b"".join((tick * factor).to_bytes(12, "little", signed=True) for tick in ticks)
        checks.hand(
            f"timestamps in {unit} of 12 bytes", [element("t", FIXED, REQUIRED, length=12, logical=logical)], 4,
            column(["t"], FIXED, 4, [page_v1(4, data, hand.PLAIN)]),
            expected=pa.table({"t": pa.array([tick * scale for tick in ticks], pa.timestamp(kept, "UTC"))}))
    wide = [decimal.Decimal("1.5"), None, decimal.Decimal("-2.25")]
    for precision, scale in ((39, 2), (60, 5), (76, 10)):
        source = pa.table({"d": pa.array(wide, pa.decimal256(precision, scale))})
        pq.write_table(source, checks.parquet)
        checks.reads(checks.parquet, source, f"decimal256({precision},{scale}) in Parquet")
        checks.both(source, f"decimal256({precision},{scale})")


def pages(checks):
    schema, definition, dense = [element("d", INT32, OPTIONAL)], [1, 1, 0, 1, 1, 0, 1, 1], ints([1, 2, 4, 5, 7, 8])
    flat = levels(definition, 1) + dense
    for codec in hand.CODECS:
        some, none = hand.runs(definition, 1), hand.runs([0] * 8, 1)
        forms = [page_v1(8, flat, hand.PLAIN, codec)]
        forms += [page_v2(8, 2, dense, hand.PLAIN, codec, some, compressed) for compressed in (None, False)]
        forms += [page_v2(8, 8, b"", hand.PLAIN, codec, none, compressed) for compressed in (None, False)]
        for index, form in enumerate(forms):
            checks.hand(f"page form {index} with {codec}", schema, 8, column(["d"], INT32, 8, [form], codec))
    top = hand.packed_from_top(definition, 1)
    checks.hand("BIT_PACKED levels", schema, 8, column(["d"], INT32, 8, [page_v1(8, top + dense, hand.PLAIN, definition=hand.BIT_PACKED)]))
    expected = pa.table({"d": pa.array([1, 2, None, 4, 5, None, 7, 8], pa.int32())})
    blocks = [pa.compress(flat[start:start + 10], codec="lz4_raw", asbytes=True) for start in range(0, len(flat), 10)]
    hadoop = b"".join(struct.pack(">II", min(10, len(flat) - 10 * index), len(block)) + block for index, block in enumerate(blocks))
    for name, stored in (("bare", pa.compress(flat, codec="lz4_raw", asbytes=True)), ("frame", pa.compress(flat, codec="lz4", asbytes=True)), ("Hadoop", hadoop)):
        checks.hand(
            f"LZ4, {name}", schema, 8, column(["d"], INT32, 8, [page_v1(8, flat, hand.PLAIN, "lz4", stored=stored)], "lz4"), expected=expected)
    schema = [element("d", INT64, REQUIRED)]
    longs = lambda values: struct.pack(f"<{len(values)}q", *values)
    indices = lambda values, width: bytes([width]) + hand.runs(values, width)
    extremes = [1, -1, 2**63 - 1, -(2**63)]
    split = bytes(longs([value])[byte] for byte in range(8) for value in extremes)
    checks.hand("a chunk of five encodings and an empty page", schema, 14, column(["d"], INT64, 14, [
        hand.dictionary(3, longs([10, 20, 30])), page_v1(3, indices([0, 1, 2], 2), hand.RLE_DICTIONARY), page_v1(3, longs([7, 8, 9]), hand.PLAIN),
        page_v1(4, hand.delta([5, -1, 2**62, -(2**62)], 128, 4), hand.DELTA), page_v1(0, b"", hand.PLAIN),
        page_v2(4, 0, split, hand.BYTE_STREAM_SPLIT)], has_dictionary=True))
    for width, encoding in ((2, hand.PLAIN_DICTIONARY), (7, hand.RLE_DICTIONARY), (32, hand.RLE_DICTIONARY)):
        checks.hand(f"dictionary indices of {width} bits", schema, 4, column(["d"], INT64, 4, [
            hand.dictionary(3, longs([10, 20, 30]), encoding=min(encoding, 2)), page_v1(4, indices([0, 1, 2, 2], width), encoding)], has_dictionary=True))
    jumps = [((index * 2654435761) % (1 << 40)) - (1 << 39) if index % 90 < 60 else 5 for index in range(700)]
    for block, miniblocks in ((128, 4), (256, 8), (1024, 32), (128, 1), (4096, 4)):
        checks.hand(
            f"deltas in blocks of {block} by {miniblocks}", schema, 700,
            column(["d"], INT64, 700, [page_v1(700, hand.delta(jumps, block, miniblocks), hand.DELTA)]))


def names_and_sizes(checks):
    source = pa.table({
        "a.b": [1, 2], "line\nbreak": ["x", "y"], "🦀": [1.5, None], "": [True, False], '"q"': [1, 2], "nul\0": [3, 4], " sp ": [1, 2],
        "e\u0301": [1, 2], "\u00e9": [3, 4], "s": [{"": 1, ".": 2}, None]})
    empty = source.slice(0, 0)
    with pq.ParquetWriter(checks.parquet, source.schema) as writer:
        for part in (empty, source, empty, source.slice(1, 1), empty):
            writer.write_table(part)
    checks.reads(checks.parquet, pa.concat_tables([source, source.slice(1, 1)]), "strange names and empty row groups")
    checks.both(source, "strange names")
    large = pa.table({"a": [1, 2]}).replace_schema_metadata({"m": "x" * (20 << 20)})
    pq.write_table(large, checks.parquet)
    checks.reads(checks.parquet, large, "metadata of 20 MB in Parquet")
    checks.both(large, "metadata of 20 MB")
    fallback = pa.table({"s": [f"value-{index % 7 if index < 5000 else index}" for index in range(60000)]})
    pq.write_table(fallback, checks.parquet, dictionary_pagesize_limit=2000, data_page_size=3000)
    checks.reads(checks.parquet, fallback, "a dictionary that is given up")


def arrow_layouts(checks):
    view = pa.table({"s": pa.array(["a", "b" * 30, None, ""] * 5, pa.string_view()), "b": pa.array([b"a", b"b" * 30, None, b""] * 5, pa.binary_view())})
    lists = pa.table({"l": pa.array([[1, 2], None, [], [3]], pa.list_view(pa.int32())), "g": pa.array([["a"], None, [], [None]], pa.large_list_view(pa.string()))})
    dictionaries = pa.table({
        "l": pa.array([["a", "b"], None, ["a"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        "s": pa.array([{"k": "x"}, None, {"k": None}], pa.struct([("k", pa.dictionary(pa.int16(), pa.string()))]))})
    for codec in (None, "lz4", "zstd"):
        checks.both(view, f"views, {codec}", compression=codec)
        checks.both(lists, f"list views, {codec}", compression=codec)
        checks.both(dictionaries, f"nested dictionaries, {codec}", compression=codec)
    for ends, values in ((pa.int16(), pa.array(["a", None, "c"])), (pa.int32(), pa.array([1.5, 2.5, None])), (pa.int64(), pa.array([[1], None, []]))):
        checks.both(pa.table({"r": pa.RunEndEncodedArray.from_arrays(pa.array([2, 5, 6], ends), values)}), f"run ends of {ends}")
    source = table(5, 100, shapes={"some_null": 0.25})
    checks.both(source.slice(13, 50), "a slice")
    checks.both(source, "metadata version 4", metadata_version=ipc.MetadataVersion.V4)
    checks.both(source, "the legacy framing", use_legacy_format=True)
    schema = pa.schema([("d", pa.dictionary(pa.int32(), pa.string()))])
    batch = lambda values, indices: pa.record_batch([pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(values))], schema=schema)
    growing = [batch(["a", "b"], [0, 1, None]), batch(["a", "b", "c"], [2, 0, 1]), batch(["a", "b", "c", "d"], [3])]
    replaced = [batch(["a", "b"], [0, 1, None]), batch(["q", "z"], [1, 0])]
    for batches, deltas in ((growing, True), (growing, False), (replaced, False)):
        with ipc.new_stream(checks.stream, schema, options=ipc.IpcWriteOptions(emit_dictionary_deltas=deltas)) as writer:
            for part in batches:
                writer.write_batch(part)
        checks.reads(checks.stream, pa.Table.from_batches(batches), f"a stream of dictionaries, deltas {deltas}")
    data = checks.stream.read_bytes()
    checks.stream.write_bytes(data[:-8])
    checks.reads(checks.stream, pa.Table.from_batches(replaced), "a stream without its end mark")


def damage(checks, seed):
    source = table(seed, 40).select(range(0, 90, 3))
    files = []
    for name, options in {"snappy": {}, "v2": dict(compression="zstd", data_page_version="2.0", write_page_index=True), "plain": dict(compression="none", use_dictionary=False)}.items():
        files.append(checks.work / f"{name}.parquet")
        pq.write_table(source, files[-1], row_group_size=15, **options)
    for codec in (None, "lz4", "zstd"):
        files.append(checks.work / f"{codec}.arrow")
        with ipc.new_file(files[-1], source.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
            writer.write_table(source, max_chunksize=15)
    dice = random.Random(seed)
    for path in files:
        whole, target = path.read_bytes(), checks.work / f"damaged{path.suffix}"
        broken = [(f"cut to {index}/50", whole[:len(whole) * index // 50]) for index in range(50)]
        for index in range(60):
            flipped = bytearray(whole)
            for _ in range(dice.choice([1, 1, 3, 10])):
                flipped[dice.randrange(len(flipped) if index % 2 else min(len(flipped), 6000)) - (0 if index % 2 else 6000)] ^= 1 << dice.randrange(8)
            broken.append((f"flip {index}", bytes(flipped)))
        for what, data in broken:
            target.write_bytes(data)
            command = ["bash", "-c", 'ulimit -v 8000000; exec "$0" "$@"', checks.almanac, "convert", target, checks.work / "damaged.jsonl"]
            try:
                result = subprocess.run(command, capture_output=True, text=True, timeout=60)
            except subprocess.TimeoutExpired:
                checks.tally.note(False, f"{path.name}, {what}: no end after 60 s")
                continue
            refused = result.returncode == 4 and "Cannot read" in result.stderr
            good = refused or (result.returncode == 0 and "cut" not in what)
            checks.tally.note(good, f"{path.name}, {what}: exit {result.returncode}: {result.stderr:.300}")


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20260102
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as work:
        checks = Checks(sys.argv[1], work)
        for part in (legacy_nesting, stored_types, pages, names_and_sizes, arrow_layouts):
            part(checks)
        damage(checks, seed)
        checks.tally.finish()


main()
