import Columns
import History

extension TableVersion {
  /// Compares the directory of a tail with its file: rows and operations of each partition, and the order of the keys.
  /// - Returns: what is wrong, in sentences; empty when all is as it should be.
  /// - Throws: `TableError`, `StoreError` when the file cannot be read as a tail of this version.
  /// - Complexity: O(rows of the tail), key columns and event time
  package func problems(of tail: TailEntry) throws -> [String] {
    let stored = try StoredRows(tail: tail.id, in: archive)
    guard stored.rowCount == tail.rowCount else {
      return ["expected \(tail.rowCount) rows, found \(stored.rowCount)"]
    }
    let time = layout.eventTime.flatMap { layout.schema[$0] }
    let fields = layout.keySchema.fields + (time.map { layout.primaryKey.contains($0.name) ? [] : [$0] } ?? [])
    let rows = try TailFile.read(tail.id, rows: 0..<stored.rowCount, fields: fields, layout: layout, from: archive)
    let times = layout.partitioning == .none ? nil : layout.eventTime.flatMap { rows.rows[$0] }
    let numbers = times.map { PartitionNumbers.column(of: $0, layout.partitioning) }
    let numberOf = numbers?.values(Int64.self).array
    var problems: [String] = []
    for part in tail.parts {
      guard let range = tail.part(part.partition)?.rows else { continue }
      let own = rows.slice(range)
      if own.insertCount != part.insertCount || own.deleteCount != part.deleteCount {
        problems.append(
          "expected \(part.insertCount) inserts and \(part.deleteCount) deletes in partition \(part.partition), "
            + "found \(own.insertCount) and \(own.deleteCount)")
      }
      if let other = range.map({ numberOf?[$0] ?? 0 }).first(where: { $0 != part.partition }) {
        problems.append("expected rows of partition \(part.partition), found one of \(other)")
      }
      let keys = own.keys
      if (1..<max(1, own.count)).contains(where: { SortKernel.compareRows(keys, $0 - 1, keys, $0) >= 0 }) {
        problems.append("the keys of partition \(part.partition) do not ascend")
      }
    }
    return problems
  }
}
