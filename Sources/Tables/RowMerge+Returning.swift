import Columns
import History

/// Columns that a merge, a revert or a cherry-pick brings to a version that does not have them. Under the field's id that version's
/// leaves and tails may hold values: of the same column from before it was dropped, or of one that was never meant.
extension RowDiff {
  /// Fields that the newer version has and the older one does not: rows in which they have a value have changed.
  static func appearing(_ old: TableVersion?, _ new: TableVersion) -> Set<Int32> {
    guard let old else { return [] }
    return Set(new.layout.schema.fields.compactMap(\.id)).subtracting(old.layout.schema.fields.compactMap(\.id))
  }

  /// Those of them that the older version had dropped.
  static func takenBack(_ old: TableVersion?, _ new: TableVersion) -> Set<Int32> {
    appearing(old, new).intersection(old?.layout.dropped ?? [])
  }
}

extension TableVersion {
  /// Rows in which a field that this version does not have would have a value, were it read under a layout that has the field;
  /// there they are null.
  /// - Parameters:
  ///   - other: a layout that came of this version's.
  ///   - change: what is written over this version; its rows and removals speak for themselves.
  /// - Complexity: O(1) where the layout brings no field; else O(leaves) records and the rows of the leaves that hold values
  package func staleRows(under other: TableLayout, beside change: RowChange) throws -> Batch {
    let own = Set(layout.schema.fields.compactMap(\.id))
    let brought = Set(other.schema.fields.compactMap(\.id)).subtracting(own)
    let partitions = try RowDiff.partitions(self, holding: brought)
    guard !partitions.isEmpty else { return .empty(other.schema) }
    var settled = Set(try Self.encodedKeys(change.upserts, other))
    settled.formUnion(try Self.encodedKeys(change.deletes, other))
    var found: [Batch] = []
    let positions = other.schema.fields.indices.filter { other.schema.fields[$0].id.map { brought.contains($0) } ?? false }
    // What leaves hold may be of a wider type than the field comes back with.
    try viewed(under: other.widened(brought)).forEachBatch(partitions: Set(partitions)) { batch in
      let rows = (0..<batch.rowCount).filter { row in positions.contains { batch.columns[$0].isValid(row) } }
      guard !rows.isEmpty else { return }
      let held = batch.take(rows.map { Int32($0) })
      let keys = try Self.encodedKeys(held, other)
      let stale = held.take(keys.indices.filter { !settled.contains(keys[$0]) }.map { Int32($0) })
      guard stale.rowCount > 0 else { return }
      var columns = stale.columns
      for position in positions { columns[position] = Column(other.schema.fields[position].type, repeating: .null, count: stale.rowCount) }
      found.append(Batch(schema: other.schema, columns: columns, rowCount: stale.rowCount))
    }
    return found.isEmpty ? .empty(other.schema) : Batch.concatenate(found)
  }

  private static func encodedKeys(_ rows: Batch, _ layout: TableLayout) throws -> [[UInt8]] {
    guard rows.rowCount > 0 else { return [] }
    let keys = layout.primaryKey.map { rows[$0]! }
    do {
      return try (0..<rows.rowCount).map { try KeyEncoder.encode(keys, row: $0) }
    } catch {
      throw TableError(.corrupt, "Cannot read a stored key: \(error)")
    }
  }

  /// Looks for values that a narrower type of their column cannot hold.
  /// - Parameter other: a layout that came of this version's.
  /// - Throws: `ValueMisfit` that names the first such row.
  /// - Complexity: O(1) where no column becomes narrower; else O(rows) of those columns and the key
  package func checkFit(under other: TableLayout) throws {
    let narrowed = other.schema.fields.filter { field in
      layout.schema.fields.contains { $0.id == field.id && $0.type != field.type && !$0.type.widens(to: field.type) }
    }
    for field in narrowed {
      guard let stored = layout.schema.fields.first(where: { $0.id == field.id }) else { continue }
      let others = layout.primaryKey.filter { $0 != stored.name }
      try forEachBatch(columns: [stored.name] + others) { batch in
        do throws(CastError) {
          _ = try batch.columns[0].cast(to: field.type)
        } catch {
          guard case .value(let row, let value) = error.reason else {
            throw TableError(.corrupt, "Cannot read column \(stored.name): \(error)")
          }
          throw ValueMisfit(field: field, value: value, key: layout.primaryKey.map { ($0, batch[$0]!.scalar(at: row)) })
        }
      }
    }
  }
}

extension RowMerge {
  /// The base of a merge both of whose sides have a column that the base has dropped, each having taken the drop back on its own.
  ///
  /// The values that the base's leaves still hold are what both started from. Where they hold none, nobody can tell whether there was
  /// one: then the sides conflict wherever they differ.
  /// - Parameter disputed: gets the cells in which they do.
  /// - Complexity: O(1) where there is no such column, else O(rows by which the sides differ)
  static func baseWithReturned(
    _ base: TableVersion?, _ first: TableVersion, _ second: TableVersion?, _ disputed: inout DisputedCells
  ) throws -> TableVersion? {
    guard let base, let second else { return base }
    let shared = RowDiff.takenBack(base, first).intersection(RowDiff.takenBack(base, second))
    guard !shared.isEmpty else { return base }
    let added = first.layout.schema.fields.filter { $0.id.map(shared.contains) ?? false }.map { field in
      let isTaken = base.layout.schema[field.name] != nil
      return Field(
        isTaken ? "\(field.name)#\(field.id ?? 0)" : field.name, field.type.widestOfItsClass, isNullable: true, id: field.id)
    }
    let layout = TableLayout(
      schema: Schema(base.layout.schema.fields + added), primaryKey: base.layout.primaryKey, eventTime: base.layout.eventTime,
      createdTime: base.layout.createdTime, partitioning: base.layout.partitioning, leafRowCount: base.layout.leafRowCount,
      dropped: base.layout.dropped.filter { !shared.contains($0) })
    let seen = base.viewed(under: layout)
    for number in base.partitionNumbers {
      guard let part = try part(first, second, number, DisputedCells()) else { continue }
      let positions = part.fields.pairs.indices.filter { shared.contains(part.fields.pairs[$0].id) }
      let rows = (0..<part.rowCount).filter { row in part.operations[row] == .changed && positions.contains { part.differs[$0][row] } }
      guard !rows.isEmpty else { continue }
      let keys = try part.keys().columns
      let wanted = SortedKeys.fitted(keys.map { $0.take(rows.map { Int32($0) }) }, to: layout)
      let held = try seen.partition(number).rows(layout.keySchema.fields + added, under: wanted)
      var search = KeySearch(wantedCount: rows.count, storedCount: held.rowCount)
      for (name, key) in zip(layout.primaryKey, keys) {
        let (stored, wanted) = try RowDiff.alike(held[name]!, key.take(rows.map { Int32($0) }))
        search.narrow(stored: stored, wanted: wanted)
      }
      for (index, row) in rows.enumerated() {
        guard let match = search.match(index) else { continue }
        let open = positions.filter { part.differs[$0][row] }.map { part.fields.pairs[$0].id }.filter { id in
          added.firstIndex { $0.id == id }.map { !held.columns[layout.primaryKey.count + $0].isValid(match) } ?? false
        }
        if !open.isEmpty { try disputed.insert(keys, row: row, partition: number, fields: Set(open)) }
      }
    }
    return seen
  }
}

extension TableLayout {
  /// Some fields in a type that holds whatever leaves may have of them.
  func widened(_ ids: Set<Int32>) -> TableLayout {
    var layout = self
    layout.schema = Schema(
      schema.fields.map { field in
        guard field.id.map(ids.contains) ?? false else { return field }
        return Field(field.name, field.type.widestOfItsClass, isNullable: true, id: field.id)
      })
    return layout
  }
}

/// A value of a version that the type of its column in another cannot hold, as where a widening is taken back.
package struct ValueMisfit: Error {
  /// The column with the type that it would have.
  package let field: Field
  package let value: Scalar
  package let key: RowDiff.Values
}
