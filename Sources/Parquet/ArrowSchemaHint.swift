import Columns

/// What the Arrow schema that Arrow's writers leave in a file's metadata says beyond Parquet's own types.
enum ArrowHint: Hashable, Sendable {
  /// The time zone of a timestamp, of which Parquet keeps only that it is in UTC.
  case zone(String)
  /// Parquet has no durations: they are stored as bare integers.
  case duration(TimeUnit)
}

/// Finds the hints in the value of "ARROW:schema", an encapsulated IPC message in base64.
///
/// Only what is needed is read, and whatever is damaged gives no hints: the file can be read without them.
///
/// Source: arrow/format/Message.fbs and Schema.fbs; flatbuffers.dev, "FlatBuffer Internals".
enum ArrowSchemaHint {
  /// By name and position of the top-level fields; nil where nothing is to be said.
  static func hints(base64 text: String) -> [(name: String, hint: ArrowHint?)] {
    guard let message = decode(base64: text), message.count >= 12 else { return [] }
    let buffer = FlatBuffer(bytes: message)
    // A continuation mark, the length, then the flatbuffer; the oldest writers left the mark out.
    let start = buffer.uint32(0) == .max ? 8 : 4
    guard let root = buffer.uint32(start).map({ start + Int($0) }), buffer.uint8(field: 6, of: root) == schemaHeader,
      let schema = buffer.table(field: 8, of: root)
    else { return [] }
    return buffer.tables(field: 6, of: schema).map { field in
      (buffer.string(field: 4, of: field) ?? "", hint(buffer, field))
    }
  }

  // The unions `MessageHeader` and `Type`.
  private static let schemaHeader: UInt8 = 1
  private static let timestampType: UInt8 = 10
  private static let durationType: UInt8 = 18

  private static func hint(_ buffer: FlatBuffer, _ field: Int) -> ArrowHint? {
    guard let kind = buffer.uint8(field: 8, of: field), let type = buffer.table(field: 10, of: field) else { return nil }
    switch kind {
    case timestampType: return buffer.string(field: 6, of: type).flatMap { $0.isEmpty ? nil : .zone($0) }
    case durationType:
      let units: [TimeUnit] = [.second, .millisecond, .microsecond, .nanosecond]
      // Milliseconds by default.
      let unit = Int(buffer.uint8(field: 4, of: type) ?? 1)
      return unit < units.count ? .duration(units[unit]) : nil
    default: return nil
    }
  }

  private static func decode(base64 text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count * 3 / 4)
    var word: UInt32 = 0
    var bitCount = 0
    for character in text.utf8 {
      let value: UInt8
      switch character {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      case UInt8(ascii: "="): continue
      default: return nil
      }
      word = word << 6 | UInt32(value)
      bitCount += 6
      guard bitCount >= 8 else { continue }
      bitCount -= 8
      bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bitCount)))
    }
    return bytes
  }
}

/// Checked steps through a flatbuffer. A field is named by its place in the table's vtable: 4 + 2 × its number.
private struct FlatBuffer {
  let bytes: [UInt8]

  private func integer<Value: FixedWidthInteger>(_ position: Int, _: Value.Type) -> Value? {
    guard position >= 0, position <= bytes.count - MemoryLayout<Value>.size else { return nil }
    return bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Value.self)) }
  }

  func uint32(_ position: Int) -> UInt32? { integer(position, UInt32.self) }

  /// Where a field of a table lies; nil when it is left out.
  private func place(field: Int, of table: Int) -> Int? {
    guard let back = integer(table, Int32.self) else { return nil }
    let vtable = table - Int(back)
    guard let size = integer(vtable, UInt16.self), field + 2 <= Int(size), let offset = integer(vtable + field, UInt16.self), offset > 0
    else { return nil }
    return table + Int(offset)
  }

  func uint8(field: Int, of table: Int) -> UInt8? { place(field: field, of: table).flatMap { integer($0, UInt8.self) } }

  func table(field: Int, of table: Int) -> Int? {
    guard let place = place(field: field, of: table), let offset = uint32(place) else { return nil }
    return place + Int(offset)
  }

  func string(field: Int, of table: Int) -> String? {
    guard let start = self.table(field: field, of: table), let count = uint32(start), Int(count) <= bytes.count - start - 4 else {
      return nil
    }
    return String(decoding: bytes[(start + 4)..<(start + 4 + Int(count))], as: UTF8.self)
  }

  func tables(field: Int, of table: Int) -> [Int] {
    guard let start = self.table(field: field, of: table), let count = uint32(start), Int(count) <= (bytes.count - start - 4) / 4
    else { return [] }
    return (0..<Int(count)).compactMap { index in
      let place = start + 4 + index * 4
      return uint32(place).map { place + Int($0) }
    }
  }
}
