"""Generated tables that cover every type, with and without nulls: what the round trips are made of."""
import datetime
import decimal
import random

import pyarrow as pa

INT_TYPES = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
WORDS = ["", "a", "naïve", "日本語", "with \"quotes\"", "line\nbreak", "comma,semi;tab\t", "null", "  spaces ", "x" * 300, "\u0000nul", "🦀"]


def integer(random, kind):
    low = 0 if str(kind).startswith("u") else -(2 ** (kind.bit_width - 1))
    high = 2**kind.bit_width + low - 1
    return random.choice([low, high, 0, 1, random.randint(low, high), random.randint(max(low, -9), 9)])


def flat_makers(random):
    def whole(bits):
        return lambda: random.choice([0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), random.randint(-(10**6), 10**6)])

    def real(kind):
        values = [0.0, 1.5, -2.25, float("inf"), float("-inf"), float("nan"), 0.1, 65504.0, 6e-8]
        return lambda: random.choice(values + [random.gauss(0, 100)])

    def digits(precision, scale):
        return lambda: decimal.Decimal(random.randint(-(10**precision) + 1, 10**precision - 1)).scaleb(-scale, decimal.Context(prec=60))

    makers = {f"{kind}": (kind, lambda kind=kind: integer(random, kind)) for kind in INT_TYPES}
    makers |= {
        "bool": (pa.bool_(), lambda: random.random() < 0.5),
        "float": (pa.float32(), real(32)),
        "double": (pa.float64(), real(64)),
        "half": (pa.float16(), real(16)),
        "string": (pa.string(), lambda: random.choice(WORDS)),
        "large_string": (pa.large_string(), lambda: random.choice(WORDS) + str(random.randint(0, 10**9))),
        "binary": (pa.binary(), lambda: random.randbytes(random.choice([0, 1, 7, 40]))),
        "fixed_5": (pa.binary(5), lambda: random.randbytes(5)),
        "fixed_16": (pa.binary(16), lambda: random.randbytes(16)),
        "date": (pa.date32(), lambda: random.choice([0, -719162, 2932896, random.randint(-30000, 30000)])),
        "time_ms": (pa.time32("ms"), lambda: random.choice([0, 86_399_999, random.randint(0, 86_399_999)])),
        "time_us": (pa.time64("us"), lambda: random.randint(0, 86_399_999_999)),
        "time_ns": (pa.time64("ns"), lambda: random.randint(0, 86_399_999_999_999)),
        "timestamp_ms": (pa.timestamp("ms"), whole(48)),
        "timestamp_us": (pa.timestamp("us"), whole(52)),
        "timestamp_ns": (pa.timestamp("ns"), whole(60)),
        "timestamp_us_utc": (pa.timestamp("us", "UTC"), whole(52)),
        "timestamp_ms_utc": (pa.timestamp("ms", "UTC"), whole(48)),
        "timestamp_ns_berlin": (pa.timestamp("ns", "Europe/Berlin"), whole(60)),
        "decimal_9_2": (pa.decimal128(9, 2), digits(9, 2)),
        "decimal_18_0": (pa.decimal128(18, 0), digits(18, 0)),
        "decimal_38_10": (pa.decimal128(38, 10), digits(38, 10)),
    }
    return makers


def nested_makers(random):
    def some(make, most):
        return lambda: [make() for _ in range(random.randint(0, most))]

    number = lambda: random.choice([None, random.randint(-5, 5)])
    word = lambda: random.choice([None, *WORDS[:6]])
    record = lambda: random.choice([None, {"x": number(), "y": word(), "z": random.choice([None, [1, None], []])}])
    point = pa.struct([("x", pa.int32()), ("y", pa.string()), ("z", pa.list_(pa.int64()))])
    return {
        "list_int": (pa.list_(pa.int64()), some(number, 5)),
        "list_string": (pa.list_(pa.string()), some(word, 3)),
        "list_list": (pa.list_(pa.list_(pa.float64())), some(lambda: random.choice([None, [], [0.5, None]]), 3)),
        "struct": (point, lambda: {"x": number(), "y": word(), "z": random.choice([None, [], [7, None]])}),
        "list_struct": (pa.list_(point), some(record, 3)),
        "struct_struct": (
            pa.struct([("a", pa.struct([("b", pa.struct([("c", pa.bool_())]))]))]),
            lambda: random.choice([{"a": None}, {"a": {"b": None}}, {"a": {"b": {"c": None}}}, {"a": {"b": {"c": True}}}])),
        "map": (pa.map_(pa.string(), pa.int32()), lambda: [(f"k{i}", number()) for i in range(random.randint(0, 3))]),
        "map_list": (pa.map_(pa.int32(), pa.list_(pa.string())), lambda: [(i, [word()]) for i in range(random.randint(0, 2))]),
    }


SHAPES = {"required": 0.0, "some_null": 0.25, "all_null": 1.0}


def table(seed, rows, nested=True, shapes=SHAPES, only=None):
    """Every type in every shape of nulls: columns named `<type>__<shape>`; `required` fields are not nullable."""
    source = random.Random(seed)
    makers = flat_makers(source) | (nested_makers(source) if nested else {})
    fields, arrays = [], []
    for name, (kind, make) in makers.items():
        if only is not None and name not in only:
            continue
        for shape, share in shapes.items():
            pool = [make() for _ in range(max(1, min(rows, 40)))]
            values = [None if source.random() < share else source.choice(pool) for _ in range(rows)]
            fields.append(pa.field(f"{name}__{shape}", kind, nullable=shape != "required"))
            arrays.append(pa.array(values, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
