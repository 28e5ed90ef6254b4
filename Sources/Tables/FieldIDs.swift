import Columns
import Crypto

/// Stable column ids: the low 30 bits of SHA-256(name, type class, incarnation), the next free one on collision, never 0.
///
/// Two repositories that create the same columns independently agree on the ids, which is what lets their roots be equal.
package enum FieldIDs {
  /// The schema with an id for every field.
  ///
  /// The incarnation is the first, from 0, whose number is not that of a column that the dataset has dropped: a name that comes
  /// back is another column, and the values of the dropped one stay where they are.
  /// - Parameters:
  ///   - kept: ids that columns have already, by name.
  ///   - dropped: ids of columns that the dataset once had.
  package static func assign(to schema: Schema, keeping kept: [String: Int32] = [:], dropped: Set<Int32> = []) -> Schema {
    var used = Set(kept.values)
    var result = schema
    for index in result.fields.indices {
      let field = result.fields[index]
      if let id = kept[field.name] {
        result.fields[index].id = id
        continue
      }
      var incarnation = 0
      var id = candidate(for: field, incarnation: incarnation)
      while dropped.contains(id) {
        incarnation += 1
        id = candidate(for: field, incarnation: incarnation)
      }
      while id == 0 || used.contains(id) || dropped.contains(id) { id = (id + 1) & mask }
      used.insert(id)
      result.fields[index].id = id
    }
    return result
  }

  static let mask: Int32 = (1 << 30) - 1

  static func candidate(for field: Field, incarnation: Int) -> Int32 {
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

extension DataType {
  /// Whether every value of this type is one of the wider type, so that stored rows need not be rewritten.
  package func widens(to wider: DataType) -> Bool {
    switch (self, wider) {
    case (.float32, .float64): return true
    default:
      guard let from = integerWidth, let to = wider.integerWidth, from.bits < to.bits else { return false }
      return from.isSigned == to.isSigned || to.isSigned
    }
  }

  private var integerWidth: (bits: Int, isSigned: Bool)? {
    switch self {
    case .int8: (8, true)
    case .int16: (16, true)
    case .int32: (32, true)
    case .int64: (64, true)
    case .uint8: (8, false)
    case .uint16: (16, false)
    case .uint32: (32, false)
    case .uint64: (64, false)
    default: nil
    }
  }
}
