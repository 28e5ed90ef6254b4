/// Why a key could not be encoded or decoded. Key columns are numbered from 0, rows from 0.
package enum KeyError: Error, Hashable, Sendable {
  case unsupportedType(column: Int, type: DataType)
  case null(column: Int, row: Int)
  case malformed(column: Int, type: DataType, byteOffset: Int, found: String)
  case trailingBytes(byteOffset: Int, byteCount: Int)
}

extension KeyError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unsupportedType(let column, let type):
      "Cannot encode key column \(column + 1): expected bool, an integer, date, timestamp[us], utf8 or binary, found \(type)"
    case .null(let column, let row):
      "Cannot encode key column \(column + 1): expected a value in every row, found null in row \(row + 1)"
    case .malformed(let column, let type, let byteOffset, let found):
      "Cannot decode key column \(column + 1): expected \(type) at byte \(byteOffset), found \(found)"
    case .trailingBytes(let byteOffset, let byteCount):
      "Cannot decode a key: expected its end at byte \(byteOffset), found \(byteCount) bytes more"
    }
  }
}

/// Memcomparable keys: bytes whose order under `memcmp` is the order of the rows (docs/format/keys.md).
package enum KeyEncoder {
  /// What one key column takes: a fixed number of bytes, or escaped bytes with an end mark.
  enum Form {
    case bool
    /// Eight bytes, big-endian, of the ordered word that `KeyReader` gives: signed integers with their sign flipped.
    case integer
    case unsigned
    case text

    var byteWidth: Int? {
      switch self {
      case .bool: 1
      case .integer, .unsigned: 8
      case .text: nil
      }
    }
  }

  static let escape: UInt8 = 0xFF
  static let endByteCount = 2

  static func form(_ type: DataType, column: Int) throws(KeyError) -> Form {
    switch type {
    case .bool: return .bool
    case .int8, .int16, .int32, .int64, .date, .timestamp(.microsecond, _): return .integer
    case .uint8, .uint16, .uint32, .uint64: return .unsigned
    case .string, .binary: return .text
    case .float16, .float32, .float64, .decimal, .timestamp, .fixedBinary, .time, .duration, .list, .map, .structure:
      throw .unsupportedType(column: column, type: type)
    }
  }

  /// The key of one row.
  /// - Throws: `KeyError` for a null or a column that cannot be a key.
  package static func encode(_ columns: [Column], row: Int) throws(KeyError) -> [UInt8] {
    var key: [UInt8] = []
    key.reserveCapacity(columns.count * 9)
    for (index, column) in columns.enumerated() {
      let form = try form(column.type, column: index)
      guard column.isValid(row) else { throw .null(column: index, row: row) }
      let reader = KeyReader(column)
      switch form {
      case .bool: key.append(UInt8(truncatingIfNeeded: reader.withOrderedBits { $0(row) }))
      case .integer, .unsigned:
        let word = reader.withOrderedBits { $0(row) }
        for shift in stride(from: UInt64(56), through: 0, by: -8) { key.append(UInt8(truncatingIfNeeded: word >> shift)) }
      case .text:
        for byte in reader.text(row) {
          key.append(byte)
          if byte == 0 { key.append(escape) }
        }
        key.append(0)
        key.append(0)
      }
    }
    return key
  }

  /// The values of a key; timestamps in microseconds, integers as the scalars of their types.
  /// - Throws: `KeyError` when the bytes are not a key of these types.
  package static func decode(_ bytes: [UInt8], types: [DataType]) throws(KeyError) -> [Scalar] {
    var position = 0
    var scalars: [Scalar] = []
    for (index, type) in types.enumerated() {
      let form = try form(type, column: index)
      let start = position
      func malformed(_ found: String) -> KeyError { .malformed(column: index, type: type, byteOffset: start, found: found) }
      if let width = form.byteWidth, bytes.count - position < width { throw malformed("\(bytes.count - position) bytes of \(width)") }
      switch form {
      case .bool:
        guard bytes[position] <= 1 else { throw malformed("byte \(bytes[position])") }
        scalars.append(.bool(bytes[position] == 1))
        position += 1
      case .integer, .unsigned:
        let word = bytes[position..<position + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let scalar = scalar(word, type) else { throw malformed("a number out of its range") }
        scalars.append(scalar)
        position += 8
      case .text:
        var text: [UInt8] = []
        while true {
          guard position < bytes.count else { throw malformed("no end mark") }
          let byte = bytes[position]
          position += 1
          if byte == 0 {
            guard position < bytes.count else { throw malformed("no end mark") }
            let mark = bytes[position]
            position += 1
            if mark == 0 { break }
            guard mark == escape else { throw malformed("byte \(mark) after byte 0") }
          }
          text.append(byte)
        }
        if type == .binary {
          scalars.append(.binary(text))
        } else {
          guard let string = String(validating: text, as: UTF8.self) else { throw malformed("bytes that are not UTF-8") }
          scalars.append(.string(string))
        }
      }
    }
    guard position == bytes.count else { throw .trailingBytes(byteOffset: position, byteCount: bytes.count - position) }
    return scalars
  }

  private static func scalar(_ word: UInt64, _ type: DataType) -> Scalar? {
    let signed = Int64(bitPattern: word ^ 1 << 63)
    switch type {
    case .int8: return Int8(exactly: signed).map { .int(Int64($0)) }
    case .int16: return Int16(exactly: signed).map { .int(Int64($0)) }
    case .int32: return Int32(exactly: signed).map { .int(Int64($0)) }
    case .int64: return .int(signed)
    case .date: return Int32(exactly: signed).map { .date($0) }
    case .timestamp(let unit, _): return .timestamp(signed, unit)
    case .uint8: return UInt8(exactly: word).map { .uint(UInt64($0)) }
    case .uint16: return UInt16(exactly: word).map { .uint(UInt64($0)) }
    case .uint32: return UInt32(exactly: word).map { .uint(UInt64($0)) }
    case .uint64: return .uint(word)
    default: return nil
    }
  }
}
