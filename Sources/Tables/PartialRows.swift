import Columns

/// Rows of a change in memory, some of which did not bring all columns.
package struct PartialRows: Sendable {
  /// Under the layout's schema, in the order of the input.
  let batches: [Batch]
  let shapes: RowShapes
  /// For each row of the input the number of its shape.
  let numbers: [Int32]
  /// About what the whole rows may take in memory; narrow rows may stand for far wider ones.
  let byteCountMax: Int

  func origins(_ input: SortedInput, _ range: Range<Int>) -> RowOrigins {
    let rows = range.map { input.inputRow($0) }
    return RowOrigins(shapes: rows.map { numbers[$0] }, inputRows: rows)
  }
}

/// Sorted rows in memory a part at a time, for a change that is too large to be whole in memory.
struct PartialParts: SortedParts {
  let input: SortedInput
  let source: PartialRows

  /// As many as a block of a run on disk has.
  static let partRowCount = 1 << 16

  var rowCount: Int { input.rowCount }
  var partitions: [Int64] { input.partitions.map(\.number) }
  var shapes: RowShapes? { source.shapes }

  func cursor(_ partition: Int64) -> Cursor {
    Cursor(parts: self, rest: input.partitions.first { $0.number == partition }?.rows ?? 0..<0)
  }

  struct Cursor: SortedPartCursor {
    let parts: PartialParts
    var rest: Range<Int>

    mutating func next() -> SortedPart? {
      guard !rest.isEmpty else { return nil }
      let range = rest.prefix(PartialParts.partRowCount)
      rest = range.upperBound..<rest.upperBound
      return SortedPart(rows: parts.input.batch(range), origins: parts.source.origins(parts.input, range))
    }
  }
}

extension TableWriter {
  /// Puts rows in place that may lack columns, which stay as they are where a row exists.
  ///
  /// The whole rows are kept in memory, so that a small change becomes a tail, unless they would take more than the rows' limit:
  /// then they are made and written a part at a time.
  func upsert(_ rows: PartialRows, onto base: TableVersion?, _ observer: (any CompletionObserver)?) throws -> ChangeOutcome {
    let input = try SortedInput(rows.batches, layout: layout)
    if let conflict = try input.duplicateKey() { return .conflict(conflict) }
    let parts = PartialParts(input: input, source: rows)
    guard let changes = try changes(parts, onto: base, observer) else {
      observer?.restart()
      return try apply(.upsert, parts, onto: base, observer)
    }
    try observer?.settle()
    return .content(try write(changes, dropping: [], onto: base))
  }

  /// - Returns: nil when the rows that change take too much memory.
  private func changes(
    _ parts: PartialParts, onto base: TableVersion?, _ observer: (any CompletionObserver)?
  ) throws -> [PartitionChange]? {
    var changes: [PartitionChange] = []
    var byteCount = 0
    for (number, rows) in parts.input.partitions {
      let view = try view(of: number, base)
      var cursor = parts.cursor(number)
      var found: [RowOperations] = []
      while let part = cursor.next() {
        guard !view.isEmpty else {
          try observer?.note(new: part, parts.source.shapes)
          continue
        }
        let (change, completed) = try ChangeResolver(view: view, mode: .upsert, layout: layout).resolve(part, parts.source.shapes)
        if let completed { try observer?.note(completed) }
        guard case .operations(let operations) = change.content, !operations.isEmpty else { continue }
        byteCount += operations.rows.byteCount
        guard byteCount <= parts.source.byteCountMax else { return nil }
        found.append(operations)
      }
      let content: PartitionChange.Content =
        view.isEmpty ? .new(parts.input, rows) : .operations(RowOperations.concatenate(found, layout: layout))
      changes.append(PartitionChange(view: view, content: content, conflictRows: []))
    }
    return changes
  }
}

extension CompletionObserver {
  /// Rows of a partition that was not there: what they lack is null.
  func note(new part: SortedPart, _ shapes: RowShapes) throws {
    guard let origins = part.origins, !origins.isWhole else { return }
    let exists = [Bool](repeating: false, count: part.rows.rowCount)
    try note(CompletedRows(rows: part.rows, origins: origins, shapes: shapes, exists: exists))
  }
}

extension RowOperations {
  /// Operations on keys that ascend from one part to the next.
  static func concatenate(_ parts: [RowOperations], layout: TableLayout) -> RowOperations {
    RowOperations(
      rows: parts.isEmpty ? .empty(layout.schema) : Batch.concatenate(parts.map(\.rows)), codes: parts.flatMap(\.codes),
      primaryKey: layout.primaryKey)
  }
}
