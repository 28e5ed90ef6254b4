import Columns

/// Cells on whose values the common ancestors of two versions disagree: each ancestor has another, and none is what the versions
/// started from. Versions that differ in such a cell conflict; what both agree on is settled.
package struct DisputedCells: Sendable {
  private struct Row: Sendable {
    let partition: Int64
    let key: [Scalar]
    var fields: Set<Int32>
  }

  /// By encoded key, which does not know the width of a column.
  private var rows: [[UInt8]: Row] = [:]

  package init() {}

  package var isEmpty: Bool { rows.isEmpty }

  /// Where there are some.
  var partitions: Set<Int64> { Set(rows.values.map(\.partition)) }

  /// Fields in which some cell is disputed.
  package var fields: Set<Int32> { rows.values.reduce(into: []) { $0.formUnion($1.fields) } }

  /// Adds a row: whether it is there, and its cells in some fields.
  /// - Parameter key: the key columns of a batch.
  mutating func insert(_ key: [Column], row: Int, partition: Int64, fields: Set<Int32>) throws {
    let name = try Self.encoded(key, row)
    rows[name, default: Row(partition: partition, key: key.map { $0.scalar(at: row) }, fields: [])].fields.formUnion(fields)
  }

  package mutating func formUnion(_ other: DisputedCells) {
    rows.merge(other.rows) { mine, theirs in
      var row = mine
      row.fields.formUnion(theirs.fields)
      return row
    }
  }

  /// The disputed fields of some rows; nil for a row that is not disputed.
  /// - Parameter key: their key columns.
  func fields(_ key: [Column], rows indices: [Int32]) throws -> [Set<Int32>?] {
    if isEmpty { return Array(repeating: nil, count: indices.count) }
    return try indices.map { rows[try Self.encoded(key, Int($0))]?.fields }
  }

  /// The key columns of the rows of a partition, ascending, in types that hold those of every version; nil without rows.
  func keys(in partition: Int64, of layout: TableLayout) -> [Column]? {
    let found = rows.values.filter { $0.partition == partition }
    guard !found.isEmpty else { return nil }
    let columns = layout.keySchema.fields.enumerated().map { index, field in
      Column(field.type.widestOfItsClass, found.map { $0.key[index] })
    }
    return SortKernel.permutation(by: columns).map { order in columns.map { $0.take(order) } } ?? columns
  }

  private static func encoded(_ key: [Column], _ row: Int) throws -> [UInt8] {
    do {
      return try KeyEncoder.encode(key, row: row)
    } catch {
      throw TableError(.corrupt, "Cannot read a stored key: \(error)")
    }
  }
}

extension DataType {
  /// The type to which all others of its class may be widened.
  var widestOfItsClass: DataType {
    switch self {
    case .int8, .int16, .int32: .int64
    case .uint8, .uint16, .uint32: .uint64
    case .float32: .float64
    default: self
    }
  }
}
