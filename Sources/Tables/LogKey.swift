import Columns

/// The hidden end of the key of a dataset of kind log: which command brought a row, and where it stood in its input.
///
/// Rows of a log have no key of their own, and two of them may be equal; these columns make each one another row, for good: they
/// are drawn and counted once for a command, and kept when its commit is tried again or carried to another branch.
package enum LogKey {
  /// 16 bytes, drawn at random for each command.
  package static let batch = Field("_almanac_batch", .binary, isNullable: false)
  /// Rows of the command's input for the dataset, from 0.
  package static let ordinal = Field("_almanac_ordinal", .int64, isNullable: false)

  package static var fields: [Field] { [batch, ordinal] }
  package static var names: [String] { fields.map(\.name) }

  /// 128 bits for the rows of one command.
  package static func drawBatch() -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    return (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  /// - Parameter rows: their numbers in the command's input.
  /// - Complexity: O(rows)
  package static func columns(batch: [UInt8], rows: Range<Int>) -> [Column] {
    let ordinals = rows.map { Int64($0) }
    return [
      Column(Self.batch.type, repeating: .binary(batch), count: rows.count),
      Column(
        type: Self.ordinal.type, count: rows.count, data: ordinals.withUnsafeBytes { BufferSlice(copying: Array($0)) }),
    ]
  }
}

extension TableLayout {
  /// Whether rows are told apart by the hidden key of a log.
  package var isLog: Bool { Array(primaryKey.suffix(LogKey.names.count)) == LogKey.names }

  /// The columns that a reader sees who names none.
  package var visibleColumns: [String] { schema.fields.map(\.name).filter { !isLog || !LogKey.names.contains($0) } }
}
