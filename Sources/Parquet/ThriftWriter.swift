/// Writes Thrift's compact protocol. Fields of a structure must be written in ascending order of their numbers.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var lastID = 0

  mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

  private mutating func head(_ id: Int, _ type: ThriftType) {
    precondition(id > lastID && id - lastID <= 15, "Field \(id) cannot follow field \(lastID)")
    bytes.append(UInt8(id - lastID) << 4 | type.rawValue)
    lastID = id
  }

  mutating func bool(_ id: Int, _ value: Bool) { head(id, value ? .booleanTrue : .booleanFalse) }

  mutating func int8(_ id: Int, _ value: Int8) {
    head(id, .int8)
    bytes.append(UInt8(bitPattern: value))
  }

  mutating func int16(_ id: Int, _ value: Int16) {
    head(id, .int16)
    zigzag(Int64(value))
  }

  mutating func int32(_ id: Int, _ value: Int32) {
    head(id, .int32)
    zigzag(Int64(value))
  }

  mutating func int64(_ id: Int, _ value: Int) {
    head(id, .int64)
    zigzag(Int64(value))
  }

  mutating func binary(_ id: Int, _ value: some Collection<UInt8>) {
    head(id, .binary)
    element(binary: value)
  }

  mutating func string(_ id: Int, _ value: String) { binary(id, value.utf8) }

  mutating func structure(_ id: Int, _ body: (inout ThriftWriter) -> Void) {
    head(id, .structure)
    element(structure: body)
  }

  /// The head of a list; as many calls of `element` must follow.
  mutating func list(_ id: Int, of type: ThriftType, count: Int) {
    head(id, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | type.rawValue)
    } else {
      bytes.append(0xF0 | type.rawValue)
      varint(UInt64(count))
    }
  }

  mutating func element(binary value: some Collection<UInt8>) {
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func element(integer value: Int) { zigzag(Int64(value)) }

  mutating func element(bool value: Bool) { bytes.append(value ? 1 : 2) }

  mutating func element(structure body: (inout ThriftWriter) -> Void) {
    let outer = lastID
    lastID = 0
    body(&self)
    bytes.append(0)
    lastID = outer
  }
}
