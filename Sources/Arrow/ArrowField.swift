import Columns

/// How the buffers of an Arrow array are laid out, as the schema on the wire says.
indirect enum ArrowLayout: Hashable, Sendable {
  case null
  case bool
  /// Integers, floats, dates in days, times, timestamps and durations: values of this many bytes, kept as they are.
  case fixed(byteWidth: Int)
  /// Milliseconds since the epoch that number whole days.
  case dateMillis
  /// Unscaled two's complement integers of 32, 64, 128 or 256 bits; values are multiplied by 10^`shift`.
  case decimal(bitWidth: Int, shift: Int)
  /// Validity, offsets of 32 or 64 bits, bytes.
  case bytes(isText: Bool, isLarge: Bool)
  /// Validity, 16-byte views, any number of data buffers.
  case view(isText: Bool)
  case list(isLarge: Bool)
  case listView(isLarge: Bool)
  case fixedList(elementCount: Int)
  /// A list with 32-bit offsets over structures of key and value.
  case map
  case structure
  /// Children: ends of the runs, values.
  case runEndEncoded

  /// How many buffers the array itself has, validity included; views add one for each data buffer.
  var bufferCount: Int {
    switch self {
    case .null, .runEndEncoded: 0
    case .structure, .fixedList: 1
    case .bool, .fixed, .dateMillis, .decimal, .view, .list, .map: 2
    case .bytes, .listView: 3
    }
  }
}

/// The integers of a dictionary-encoded array.
struct DictionaryEncoding: Hashable, Sendable {
  let id: Int64
  let byteWidth: Int
  let isSigned: Bool
}

/// A field as Arrow's schema describes it, with the type it gets here.
struct ArrowField: Hashable, Sendable {
  let name: String
  let isNullable: Bool
  let layout: ArrowLayout
  let type: DataType
  var children: [ArrowField]
  /// Set when arrays of the field hold places in a dictionary; `layout` and `children` are then those of the dictionary.
  var dictionary: DictionaryEncoding?

  var field: Field { Field(name, type, isNullable: isNullable) }

  /// The field of the dictionary's values.
  var dictionaryValues: ArrowField {
    var values = self
    values.dictionary = nil
    return values
  }
}
