import Columns
import History

extension TableVersion {
  /// One row by its key, under this version's schema; nil when it is not there.
  /// - Parameter key: values of the key columns in their order and types.
  /// - Throws: `TableError` of kind `input` for a key that no row can have.
  /// - Complexity: one path of the tree and one leaf
  package func row(key: [Scalar]) throws -> Batch? {
    let fields = layout.keySchema.fields
    guard key.count == fields.count, !key.contains(.null) else {
      throw TableError(.input, "A key of this dataset has \(fields.count) values without nulls, found \(key.count)")
    }
    let wanted = Batch(
      schema: layout.keySchema, columns: zip(fields, key).map { Column($0.type, [$1]) }, rowCount: 1)
    let input = try SortedInput(wanted, layout: layout)
    let encoded: [UInt8]
    do {
      encoded = try KeyEncoder.encode(input.batch.columns, row: 0)
    } catch {
      throw TableError(.input, "The key cannot be looked up: \(error)")
    }
    guard let number = input.partitions.first?.number, let tree = partitions.first(where: { $0.number == number })?.tree,
      let leaf = try archive.leaf(of: tree, holding: encoded)
    else { return nil }
    let stored = try LeafFile.read(leaf.id, fields: layout.schema.fields, from: archive)
    var search = KeySearch(wantedCount: 1, storedCount: stored.rowCount)
    for (name, column) in zip(layout.primaryKey, input.batch.columns) { search.narrow(stored: stored[name]!, wanted: column) }
    return search.match(0).map { stored.slice(from: $0, count: 1) }
  }
}
