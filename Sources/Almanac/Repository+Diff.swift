import Columns
import History
import Tables

/// Two versions of one dataset, to be compared.
package struct DatasetComparison: Sendable {
  package let name: String
  private let old: TableVersion?
  private let new: TableVersion?
  /// Keeps both from being collected while they are compared.
  private let lease: Lease
  private let repository: Repository

  init(name: String, old: TableVersion?, new: TableVersion?, lease: Lease, repository: Repository) {
    self.name = name
    self.lease = lease
    self.repository = repository
    self.old = old
    self.new = new
  }

  /// Compares rows, a partition at a time in the order of (partition, key), and gives the totals.
  /// - Complexity: O(rows of the leaves that differ); memory for those of one partition
  package func run(_ body: (RowDiff.Part) throws -> Void = { _ in }) throws(AlmanacError) -> RowDiff {
    try AlmanacError.translating {
      var diff = RowDiff()
      if let old, let new { diff.schemaChanges = RowDiff.SchemaChange.between(old.layout.schema, new.layout.schema) }
      try RowDiff.forEachPart(old, new) { part in
        diff.add(part)
        try body(part)
      }
      return diff
    }
  }

  /// The numbers of rows that differ, without the columns in which they do. - Complexity: as `RowDiff.between`
  package func totals() throws(AlmanacError) -> RowDiff {
    try AlmanacError.translating { try RowDiff.between(old, new, withRows: false) }
  }

  /// Writes the differing rows to a file: `_op`, the key, and of every other column its value before and after.
  /// - Returns: the totals.
  package func write(to path: String, format: FileFormat? = nil) throws(AlmanacError) -> RowDiff {
    try repository.checkOutside(path)
    guard let left = old?.layout ?? new?.layout, let right = new?.layout ?? old?.layout else { return RowDiff() }
    let table = DifferenceTable(old: left, new: right)
    let output = try TableOutput(path: path, schema: try table.schema(dataset: name), format: format)
    let diff = try run { part in try output.write(table.batch(part)) }
    try output.finish()
    return diff
  }
}

/// Differing rows as a table.
private struct DifferenceTable {
  private let fields: RowDiff.Fields
  private let key: [Field]

  init(old: TableLayout, new: TableLayout) {
    fields = RowDiff.Fields(old: old.schema, new: new.schema)
    let pairs = fields.pairs
    key = new.primaryKey.map { name in
      Field(name, pairs.first { $0.name == name && $0.new != nil }?.type ?? .string, isNullable: false)
    }
  }

  private var values: [RowDiff.Fields.Pair] { fields.pairs.filter { pair in !key.contains { $0.name == pair.name && pair.new != nil } } }

  private var columnFields: [Field] {
    var all = [Field("_op", .string, isNullable: false)] + key
    for pair in values {
      if pair.old != nil { all.append(Field("before_\(pair.name)", pair.type)) }
      if pair.new != nil { all.append(Field("after_\(pair.name)", pair.type)) }
    }
    return all
  }

  func schema(dataset: String) throws(AlmanacError) -> Schema {
    let all = columnFields
    guard Set(all.map(\.name)).count == all.count else {
      throw AlmanacError(.failed, "Cannot write the differences of \(dataset): before_, after_ and its column names give a name twice")
    }
    return Schema(all)
  }

  func batch(_ part: RowDiff.Part) throws -> Batch {
    let keys = try part.keys()
    var columns = [Column(.string, part.operations.map { .string($0.rawValue) })]
    columns += try zip(keys.columns, key).map { try $0.cast(to: $1.type) }
    for pair in values {
      // A part of rows that are keyed in another way has columns of one version alone.
      let own = part.fields.pairs.first { $0.id == pair.id }
      for (wanted, position, batch) in [(pair.old, own?.old, part.before), (pair.new, own?.new, part.after)] where wanted != nil {
        let column = position.map { batch.columns[$0] } ?? Column(pair.type, repeating: .null, count: part.rowCount)
        columns.append(try column.cast(to: pair.type))
      }
    }
    return Batch(schema: Schema(columnFields), columns: columns, rowCount: part.rowCount)
  }
}

extension Repository {
  /// The datasets whose versions at two commits are not the same, by name.
  /// - Parameter dataset: only this one, also when it does not differ.
  /// - Throws: `notFound` for a dataset that neither commit has.
  package func comparisons(_ a: String, _ b: String, dataset: String? = nil) throws(AlmanacError) -> [DatasetComparison] {
    let ids = try (resolve(a), resolve(b))
    let lease = try lease([ids.0, ids.1])
    let left = try commit(ids.0).datasets
    let right = try commit(ids.1).datasets
    let all = Set(left.keys).union(right.keys)
    if let dataset, !all.contains(dataset) { throw unknownDataset(dataset, known: Array(all), at: "\(a) or \(b)") }
    return try all.sorted().filter { dataset == nil ? left[$0] != right[$0] : $0 == dataset }.map { (name) throws(AlmanacError) in
      try AlmanacError.translating {
        DatasetComparison(
          name: name, old: try left[name].map { try TableVersion(archive: archive, root: $0.root) },
          new: try right[name].map { try TableVersion(archive: archive, root: $0.root) }, lease: lease, repository: self)
      }
    }
  }

  /// Per dataset that differs, or for the one named, how many rows differ, and which if they are asked for.
  package func diff(
    _ a: String, _ b: String, dataset: String? = nil, withRows: Bool
  ) throws(AlmanacError) -> [(name: String, diff: RowDiff)] {
    var result: [(name: String, diff: RowDiff)] = []
    for comparison in try comparisons(a, b, dataset: dataset) {
      var entries: [RowDiff.Entry] = []
      var diff = try comparison.run { part in if withRows { entries += part.entries } }
      diff.entries = entries
      if dataset != nil || !diff.isEmpty || !diff.schemaChanges.isEmpty { result.append((comparison.name, diff)) }
    }
    return result
  }
}
