/// A value of a FlatBuffer table that is to be written.
indirect enum FlatValue {
  case bool(Bool)
  case uint8(UInt8)
  case int16(Int16)
  case int32(Int32)
  case int64(Int64)
  case string(String)
  case table([FlatSlot])
  case tables([[FlatSlot]])
  /// A vector of structs, or of longs, that consist of this many 64-bit words each.
  case words([Int64], wordsPerElement: Int)

  /// Bytes in the table itself; everything else is referred to by four.
  fileprivate var byteWidth: Int {
    switch self {
    case .bool, .uint8: 1
    case .int16: 2
    case .int64: 8
    case .int32, .string, .table, .tables, .words: 4
    }
  }
}

/// A field of a table: its number in the table's definition, and its value.
struct FlatSlot {
  let slot: Int
  let value: FlatValue

  init(_ slot: Int, _ value: FlatValue) {
    self.slot = slot
    self.value = value
  }
}

/// Writes a FlatBuffer front to back: every table behind whatever refers to it, its vtable right before it.
///
/// Equal values give equal bytes; all values are aligned to their width.
struct FlatWriter {
  private(set) var bytes: [UInt8] = []

  /// The bytes of a buffer with this root table.
  static func encode(_ root: [FlatSlot]) -> [UInt8] {
    var writer = FlatWriter()
    writer.append(UInt32(0))
    writer.patch(0, to: writer.appendTable(root))
    return writer.bytes
  }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func align(_ byteCount: Int, before extra: Int = 0) {
    while (bytes.count + extra) % byteCount != 0 { bytes.append(0) }
  }

  /// Lets the reference at `place` point to `target`, which lies behind it.
  private mutating func patch(_ place: Int, to target: Int) {
    withUnsafeBytes(of: UInt32(target - place).littleEndian) { bytes.replaceSubrange(place..<(place + 4), with: $0) }
  }

  private mutating func appendTable(_ slots: [FlatSlot]) -> Int {
    // Wide fields first: then few bytes of padding lie between them.
    let ordered = slots.sorted { ($1.value.byteWidth, $0.slot) < ($0.value.byteWidth, $1.slot) }
    var (tableByteCount, alignment) = (4, 4)
    var places: [Int: Int] = [:]
    for slot in ordered {
      let width = slot.value.byteWidth
      tableByteCount = (tableByteCount + width - 1) / width * width
      places[slot.slot] = tableByteCount
      tableByteCount += width
      alignment = max(alignment, width)
    }
    let slotCount = (slots.map(\.slot).max() ?? -1) + 1
    let vtableByteCount = 4 + slotCount * 2
    align(alignment, before: vtableByteCount)
    append(UInt16(vtableByteCount))
    append(UInt16(tableByteCount))
    for slot in 0..<slotCount { append(UInt16(places[slot] ?? 0)) }
    let start = bytes.count
    append(Int32(vtableByteCount))
    var references: [(place: Int, value: FlatValue)] = []
    for slot in ordered {
      align(slot.value.byteWidth, before: -start)
      switch slot.value {
      case .bool(let value): append(UInt8(value ? 1 : 0))
      case .uint8(let value): append(value)
      case .int16(let value): append(value)
      case .int32(let value): append(value)
      case .int64(let value): append(value)
      case .string, .table, .tables, .words:
        references.append((bytes.count, slot.value))
        append(UInt32(0))
      }
    }
    for reference in references { patch(reference.place, to: appendObject(reference.value)) }
    return start
  }

  private mutating func appendObject(_ value: FlatValue) -> Int {
    switch value {
    case .table(let slots): return appendTable(slots)
    case .string(let text):
      align(4)
      let start = bytes.count
      append(UInt32(text.utf8.count))
      bytes.append(contentsOf: text.utf8)
      bytes.append(0)
      return start
    case .words(let words, let wordsPerElement):
      align(8, before: 4)
      let start = bytes.count
      append(UInt32(words.count / wordsPerElement))
      for word in words { append(word) }
      return start
    case .tables(let tables):
      align(4)
      let start = bytes.count
      append(UInt32(tables.count))
      let places = bytes.count
      for _ in tables { append(UInt32(0)) }
      for (index, table) in tables.enumerated() { patch(places + index * 4, to: appendTable(table)) }
      return start
    case .bool, .uint8, .int16, .int32, .int64: preconditionFailure("A scalar lies in its table")
    }
  }
}
