import Columns
import History

/// Versions that no root names: what a computation needs on its way, without writing anything.
extension TableVersion {
  /// - Parameter tails: those that the archive does not store must be held by it.
  private init(archive: Archive, layout: TableLayout, partitions: [PartitionEntry], tails: TailList) {
    self.archive = archive
    self.layout = layout
    self.partitions = partitions
    self.tails = tails
    rowCount = partitions.reduce(tails.addedRowCount) { $0 + $1.rowCount }
    // The id that the root would have: versions with equal ids are equal.
    var draft = Draft()
    rootID = draft.addRoot(schema: layout.schemaJSON, layout: layout.layoutJSON, partitions: partitions, tails: tails)
  }

  /// A version without rows.
  package static func empty(_ layout: TableLayout, in archive: Archive) -> TableVersion {
    TableVersion(archive: archive, layout: layout, partitions: [], tails: TailList())
  }

  /// What a change makes of this version, in memory: its leaves and tails with one tail more.
  /// - Parameters:
  ///   - change: as for `TableWriter.apply`, no key twice.
  ///   - layout: one that came of this version's.
  /// - Returns: the version, and the tail that the archive holds for it until somebody releases it; nil if there is none.
  /// - Throws: `TableError`, `StoreError`.
  /// - Complexity: O(rows of the change), and a look at the keys of the leaves that they fall into
  package func changed(_ change: RowChange, under layout: TableLayout) throws -> (version: TableVersion, held: TailID?) {
    let input = try SortedInput([change.upserts, layout.padded(change.deletes)], layout: layout)
    let firstDelete = change.upserts.rowCount
    var parts: [(partition: Int64, operations: RowOperations)] = []
    for (number, rows) in input.partitions {
      let resolver = ChangeResolver(view: try partition(number, as: layout), mode: .upsert, layout: layout)
      let isDelete = rows.map { input.inputRow($0) >= firstDelete }
      let resolved = try resolver.resolve(input.batch(rows), isDelete: isDelete, firstRow: rows.lowerBound)
      guard case .operations(let operations) = resolved.content, !operations.isEmpty else { continue }
      parts.append((number, operations))
    }
    guard !parts.isEmpty else {
      return (TableVersion(archive: archive, layout: layout, partitions: partitions, tails: tails), nil)
    }
    let (entry, bytes, _) = try TailFile.encode(parts, sequence: tails.nextSequence, layout: layout)
    bytes.withBytes { archive.holdTail(entry.id, bytes: $0) }
    let all = TailList(tails.entries + [entry], folded: tails.folded)
    return (TableVersion(archive: archive, layout: layout, partitions: partitions, tails: all), entry.id)
  }
}
