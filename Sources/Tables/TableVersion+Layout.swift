import Columns
import History

extension TableVersion {
  /// A version of the same leaves and tails under another layout: what a change of columns alone commits.
  /// - Parameter layout: one that `SchemaEvolution` made of this version's.
  /// - Complexity: O(partitions); no leaf is read or written.
  package func addRoot(under layout: TableLayout, to draft: inout Draft) throws -> DatasetRef {
    let root = try archive.root(rootID)
    let id = draft.addRoot(
      schema: layout.schemaJSON, layout: layout.layoutJSON, partitions: try archive.partitions(of: rootID), tails: root.tails)
    return DatasetRef(root: id, rows: root.rowCount)
  }
}

extension TableLayout {
  /// Whether a leaf holds values of a column that the schema does not have, as after a drop: such a leaf is not in canonical form.
  /// - Parameter digests: those that are kept beside the leaf (`LeafIdentity.digests`).
  package func hasForeignValues(leafDigests digests: [UInt8]) -> Bool {
    let entryByteCount = 4 + 1 + 32
    let own = Set(schema.fields.compactMap(\.id))
    return stride(from: 0, to: digests.count - digests.count % entryByteCount, by: entryByteCount).contains { start in
      let id = digests[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return !own.contains(Int32(bitPattern: id))
    }
  }
}
