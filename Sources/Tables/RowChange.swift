import Columns
import History

/// Rows to be put in place and keys to be removed, at once.
package struct RowChange: Sendable {
  /// In the layout's schema; a key that is there is replaced.
  package let upserts: Batch
  /// Key columns in the layout's key schema; none of them is among the upserts. Absent keys are no error.
  package let deletes: Batch

  package init(upserts: Batch, deletes: Batch) {
    self.upserts = upserts
    self.deletes = deletes
  }

  package var isEmpty: Bool { upserts.rowCount + deletes.rowCount == 0 }
}

extension TableWriter {
  /// Applies upserts and deletes as one change. The result has this writer's layout.
  /// - Complexity: as `apply(_:_:onto:)` where there are only upserts or only deletes, else O(rows of the version)
  package func apply(_ change: RowChange, onto base: TableVersion?) throws -> ChangeOutcome {
    if change.deletes.rowCount == 0 { return try apply(.upsert, change.upserts, onto: base) }
    if change.upserts.rowCount == 0 { return try apply(.delete, change.deletes, onto: base) }
    let fields = layout.schema.fields
    let stored = try RowDiff.read(base?.leaves() ?? [], fields: fields, from: archive)
    let gone = try SortedInput(
      Batch.concatenate([change.deletes.selecting(layout.primaryKey)!, change.upserts.selecting(layout.primaryKey)!]), layout: layout)
    if let conflict = gone.duplicateKey() { return .conflict(conflict) }
    let keys = layout.primaryKey.map { stored[$0]! }
    // Stored rows ascend within partitions only; encoded keys find them wherever they stand.
    var encoded: Set<[UInt8]> = []
    for row in 0..<gone.batch.rowCount { encoded.insert(try KeyEncoder.encode(layout.primaryKey.map { gone.batch[$0]! }, row: row)) }
    let kept = try (0..<stored.rowCount).filter { try !encoded.contains(KeyEncoder.encode(keys, row: $0)) }
    return try apply(.replace, Batch.concatenate([stored.take(kept.map { Int32($0) }), change.upserts]), onto: base)
  }
}
