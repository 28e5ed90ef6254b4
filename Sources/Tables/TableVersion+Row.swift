import Columns
import History

extension TableVersion {
  /// One row by its key, under this version's schema; nil when it is not there.
  /// - Parameter key: values of the key columns in their order and types.
  /// - Throws: `TableError` of kind `input` for a key that no row can have.
  /// - Complexity: one path of the tree, the key columns of one leaf and of the tails
  package func row(key: [Scalar]) throws -> Batch? {
    let fields = layout.keySchema.fields
    guard key.count == fields.count, !key.contains(.null) else {
      throw TableError(.input, "A key of this dataset has \(fields.count) values without nulls, found \(key.count)")
    }
    let columns = zip(fields, key).map { Column($0.type, [$1]) }
    let encoded: [UInt8]
    do {
      encoded = try KeyEncoder.encode(columns, row: 0)
    } catch {
      throw TableError(.input, "The key cannot be looked up: \(error)")
    }
    let keys = Batch(schema: layout.keySchema, columns: columns, rowCount: 1)
    guard let number = try SortedInput([layout.padded(keys)], layout: layout).partitions.first?.number else { return nil }
    let leaf = try partitions.first { $0.number == number }.flatMap { try archive.leaf(of: $0.tree, holding: encoded) }
    let view = PartitionView(
      archive: archive, layout: layout, number: number, leaves: leaf.map { [$0] } ?? [],
      tails: tails.live(number).map { ($0.entry.id, $0.rows) })
    let found = try view.rows(layout.schema.fields, under: columns)
    return found.rowCount == 1 ? found : nil
  }
}
