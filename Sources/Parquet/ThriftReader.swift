/// The type codes of Thrift's compact protocol.
enum ThriftType: UInt8 {
  case stop = 0
  case booleanTrue = 1
  case booleanFalse = 2
  case int8 = 3
  case int16 = 4
  case int32 = 5
  case int64 = 6
  case double = 7
  case binary = 8
  case list = 9
  case set = 10
  case map = 11
  case structure = 12
  case uuid = 13
}

struct ThriftField {
  let id: Int
  let type: ThriftType
}

/// Reads Thrift's compact protocol from untrusted bytes: every read is checked against the end, nesting is limited.
///
/// Source: thrift/doc/specs/thrift-compact-protocol.md.
struct ThriftReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0
  /// What is being read, for messages: "footer", "page header".
  private let subject: String

  /// Real metadata nests six deep; unknown fields may bring their own.
  private static let depthMax = 24

  /// - Parameter bytes: must stay valid while this reader is used.
  init(_ bytes: UnsafeRawBufferPointer, subject: String) {
    self.bytes = bytes
    self.subject = subject
  }

  private func malformed(_ text: String) -> ParquetError { .malformed("the \(subject) \(text)") }

  mutating func byte() throws(ParquetError) -> UInt8 {
    guard position < bytes.count else { throw malformed("ends after \(bytes.count) bytes in the middle of a value") }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      guard shift < 63 || (shift == 63 && next <= 1) else { throw malformed("holds a number of more than 64 bits at byte \(position)") }
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
  }

  mutating func zigzag() throws(ParquetError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// Visits the fields of a structure; `body` must read or `skip` each value.
  mutating func fields(
    _ body: (inout ThriftReader, ThriftField) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    var last = 0
    while true {
      let head = try byte()
      guard head != 0 else { return }
      let type = try type(head & 0x0F)
      let delta = Int(head >> 4)
      if delta > 0 {
        last += delta
      } else {
        let id = try zigzag()
        guard let id = Int16(exactly: id) else { throw malformed("holds the field number \(id)") }
        last = Int(id)
      }
      try body(&self, ThriftField(id: last, type: type))
    }
  }

  private func type(_ code: UInt8) throws(ParquetError) -> ThriftType {
    guard let type = ThriftType(rawValue: code), type != .stop else { throw malformed("holds a value of unknown type \(code)") }
    return type
  }

  private func expect(_ field: ThriftField, _ types: ThriftType...) throws(ParquetError) {
    guard types.contains(field.type) else { throw malformed("holds field \(field.id) as \(field.type), expected \(types[0])") }
  }

  mutating func int64(_ field: ThriftField) throws(ParquetError) -> Int64 {
    if field.type == .int8 { return Int64(Int8(bitPattern: try byte())) }
    try expect(field, .int64, .int32, .int16)
    return try zigzag()
  }

  mutating func int32(_ field: ThriftField) throws(ParquetError) -> Int32 {
    let wide = try int64(field)
    guard let value = Int32(exactly: wide) else { throw malformed("holds \(wide) in field \(field.id), expected 32 bits") }
    return value
  }

  mutating func bool(_ field: ThriftField) throws(ParquetError) -> Bool {
    try expect(field, .booleanTrue, .booleanFalse)
    return field.type == .booleanTrue
  }

  mutating func binary(_ field: ThriftField) throws(ParquetError) -> UnsafeRawBufferPointer {
    try expect(field, .binary)
    let length = try varint()
    guard length <= UInt64(bytes.count - position) else {
      throw malformed("holds \(length) bytes in field \(field.id), but only \(bytes.count - position) are left")
    }
    let start = position
    position += Int(length)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
  }

  mutating func string(_ field: ThriftField) throws(ParquetError) -> String {
    String(decoding: try binary(field), as: UTF8.self)
  }

  mutating func structure(
    _ field: ThriftField, _ body: (inout ThriftReader, ThriftField) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    try expect(field, .structure)
    try fields(body)
  }

  /// Visits the elements of a list; `body` must read or `skip` each one, given as a field without a number.
  mutating func list(
    _ field: ThriftField, _ body: (inout ThriftReader, ThriftField) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    try expect(field, .list, .set)
    let (element, count) = try listHead()
    for _ in 0..<count {
      var element = element
      // Booleans are one byte each inside lists, while a field's type carries its value.
      if element.type == .booleanTrue || element.type == .booleanFalse {
        element = ThriftField(id: element.id, type: try byte() == 1 ? .booleanTrue : .booleanFalse)
      }
      try body(&self, element)
    }
  }

  private mutating func listHead() throws(ParquetError) -> (ThriftField, Int) {
    let head = try byte()
    let count = head >> 4 == 15 ? try varint() : UInt64(head >> 4)
    // An element takes a byte at least.
    guard count <= UInt64(bytes.count - position) else {
      throw malformed("holds a list of \(count) values, but only \(bytes.count - position) bytes are left")
    }
    let type = count == 0 ? .structure : try type(head & 0x0F)
    return (ThriftField(id: 0, type: type), Int(count))
  }

  mutating func skip(_ field: ThriftField) throws(ParquetError) { try skip(field.type, depth: 0) }

  private mutating func skip(_ type: ThriftType, depth: Int) throws(ParquetError) {
    guard depth < Self.depthMax else { throw malformed("nests more than \(Self.depthMax) deep") }
    switch type {
    case .stop, .booleanTrue, .booleanFalse: break
    case .int8: _ = try byte()
    case .int16, .int32, .int64: _ = try varint()
    case .double: try skipBytes(8)
    case .uuid: try skipBytes(16)
    case .binary: _ = try binary(ThriftField(id: 0, type: .binary))
    case .list, .set:
      let (element, count) = try listHead()
      for _ in 0..<count { try skipElement(element.type, depth: depth + 1) }
    case .map:
      let count = try varint()
      guard count > 0 else { return }
      guard count <= UInt64(bytes.count - position) else { throw malformed("holds a map of \(count) entries") }
      let types = try byte()
      let (key, value) = (try self.type(types >> 4), try self.type(types & 0x0F))
      for _ in 0..<Int(count) {
        try skipElement(key, depth: depth + 1)
        try skipElement(value, depth: depth + 1)
      }
    case .structure:
      try fields { (reader, field) throws(ParquetError) in try reader.skip(field.type, depth: depth + 1) }
    }
  }

  private mutating func skipElement(_ type: ThriftType, depth: Int) throws(ParquetError) {
    if type == .booleanTrue || type == .booleanFalse { _ = try byte() } else { try skip(type, depth: depth) }
  }

  private mutating func skipBytes(_ count: Int) throws(ParquetError) {
    guard count <= bytes.count - position else { throw malformed("ends after \(bytes.count) bytes in the middle of a value") }
    position += count
  }
}
