import Columns
import Crypto

/// Stable column ids: the low 30 bits of SHA-256(name, type class, incarnation), the next free one on collision, never 0.
///
/// Two repositories that create the same columns independently agree on the ids, which is what lets their roots be equal.
package enum FieldIDs {
  /// The schema with an id for every field.
  /// - Parameter previous: an earlier schema of the dataset; columns of the same name keep their ids.
  package static func assign(to schema: Schema, keeping previous: Schema? = nil) -> Schema {
    var used = Set(previous?.fields.compactMap(\.id) ?? [])
    var result = schema
    for index in result.fields.indices {
      if let kept = previous?[result.fields[index].name]?.id {
        result.fields[index].id = kept
        continue
      }
      var id = candidate(for: result.fields[index], incarnation: 0)
      while id == 0 || used.contains(id) { id = (id + 1) & mask }
      used.insert(id)
      result.fields[index].id = id
    }
    return result
  }

  private static let mask: Int32 = (1 << 30) - 1

  private static func candidate(for field: Field, incarnation: Int) -> Int32 {
    let text = "\(field.name)\u{0}\(TypeClass(field.type).rawValue)\u{0}\(incarnation)"
    let digest = SHA256.hash(data: Array(text.utf8))
    // The last four bytes, big-endian: the low bits of the digest read as one number.
    let low = digest.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return Int32(bitPattern: low & UInt32(mask))
  }
}

/// Types that hold the same values when widened have one class: identity and field ids do not see the width.
package enum TypeClass: UInt8, Sendable {
  case integer = 1
  case float, bool, string, binary, date, timestamp, decimal

  package init(_ type: DataType) {
    switch type {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: self = .integer
    case .float32, .float64: self = .float
    case .bool: self = .bool
    case .string: self = .string
    case .binary: self = .binary
    case .date: self = .date
    case .timestamp: self = .timestamp
    case .decimal: self = .decimal
    case .float16, .fixedBinary, .time, .duration, .list, .map, .structure: preconditionFailure("Datasets hold no \(type)")
    }
  }
}
