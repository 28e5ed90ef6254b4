import Columns

/// The hidden end of the key of a dataset of kind log: which commit brought a row, and where it stood in its input.
///
/// Rows of a log have no key of their own, and two of them may be equal; these columns make each one another row, for good: they
/// are kept when the commit is merged or picked to another branch. Of rows of one time the one with the greater key is the later
/// one, so batches ascend along history (docs/design/0017-batches.md).
package enum LogKey {
  /// 16 bytes, drawn for each try of a commit.
  package static let batch = Field("_almanac_batch", .binary, isNullable: false)
  /// Rows of the command's input for the dataset, from 0.
  package static let ordinal = Field("_almanac_ordinal", .int64, isNullable: false)

  package static var fields: [Field] { [batch, ordinal] }
  package static var names: [String] { fields.map(\.name) }

  package static let batchByteCount = 16
  /// Greater than what batches began with that were drawn from all 128 bits, save one of 2^40: those count as oldest.
  private static let prefix = [UInt8](repeating: 0xFF, count: 5)
  private static let timeByteCount = 7
  /// The greatest time that a batch can hold, in the year 4253.
  package static let timeMicrosMax: Int64 = (1 << 56) - 1

  /// 128 bits for the rows of one commit: five bytes FF, the time (7 bytes, big-endian), 32 random bits.
  /// - Parameter timeMicros: of the commit, which is later than those it builds on; that is what makes its batch greater than theirs.
  package static func drawBatch(timeMicros: Int64) -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    let time = min(max(timeMicros, 0), timeMicrosMax)
    let places = stride(from: 8 * (timeByteCount - 1), through: 0, by: -8)
    let rest = batchByteCount - prefix.count - timeByteCount
    return prefix + places.map { UInt8(truncatingIfNeeded: time >> Int64($0)) }
      + (0..<rest).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  /// The hidden columns of rows whose batch is not drawn yet, see `TableInput.stamped`.
  /// - Parameter rows: their numbers in the command's input.
  /// - Complexity: O(rows)
  package static func columns(rows: Range<Int>) -> [Column] {
    let ordinals = rows.map { Int64($0) }
    return [
      Column(Self.batch.type, repeating: .binary([]), count: rows.count),
      Column(
        type: Self.ordinal.type, count: rows.count, data: ordinals.withUnsafeBytes { BufferSlice(copying: Array($0)) }),
    ]
  }
}

extension TableLayout {
  /// Whether rows are told apart by the hidden key of a log.
  package var isLog: Bool { Array(primaryKey.suffix(LogKey.names.count)) == LogKey.names }

  /// The hidden columns, if it has some.
  package var hiddenColumns: [String] { isLog ? LogKey.names : [] }

  /// The columns that a reader sees who names none.
  package var visibleColumns: [String] {
    let hidden = hiddenColumns
    return schema.fields.map(\.name).filter { !hidden.contains($0) }
  }
}

extension TableInput {
  /// Rows of a log under the batch of the commit that is being tried. - Complexity: O(rows)
  package func stamped(batch: [UInt8]) -> TableInput {
    switch self {
    case .batches(let batches): .batches(batches.map { $0.stamped(batch) })
    // Only an upsert lacks columns, and a log takes none.
    case .partial: self
    case .runs(let runs): .runs(runs.stamped(batch))
    }
  }
}

extension Batch {
  func stamped(_ batch: [UInt8]) -> Batch {
    var columns = columns
    if let index = schema.index(of: LogKey.batch.name) {
      columns[index] = Column(LogKey.batch.type, repeating: .binary(batch), count: rowCount)
    }
    return Batch(schema: schema, columns: columns, rowCount: rowCount)
  }
}
