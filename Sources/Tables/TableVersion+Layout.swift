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
  /// The fields by which rows of two versions are compared, under the newer names and the wider types.
  ///
  /// A column that only one side has is null in every row of the other, so adding it changes no row and giving it a value does. A
  /// column that one side has dropped is left out: which leaves still hold its values says nothing about the rows.
  package static func comparedFields(_ old: TableLayout?, _ new: TableLayout?) -> [Field] {
    let dropped = Set((old?.dropped ?? []) + (new?.dropped ?? []))
    let oldFields = old?.schema.fields ?? []
    var fields: [Field] = []
    for var field in new?.schema.fields ?? [] where field.id.map({ !dropped.contains($0) }) ?? true {
      if let other = oldFields.first(where: { $0.id == field.id }), field.type.widens(to: other.type) { field.type = other.type }
      fields.append(field)
    }
    for var field in oldFields where field.id.map({ !dropped.contains($0) }) ?? true {
      guard !fields.contains(where: { $0.id == field.id }) else { continue }
      // Two columns of one name, one on each side, after one was renamed and the name was given to another.
      if fields.contains(where: { $0.name == field.name }) { field.name += " (before)" }
      fields.append(field)
    }
    return fields
  }
}
