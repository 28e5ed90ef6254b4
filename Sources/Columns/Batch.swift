/// Some rows of a table: one column per field of the schema, all of one length.
package struct Batch: Sendable {
  package let schema: Schema
  package let columns: [Column]
  package let rowCount: Int

  /// - Precondition: columns match the fields in number and type, and have `rowCount` values each.
  package init(schema: Schema, columns: [Column], rowCount: Int) {
    precondition(schema.fields.count == columns.count, "There are \(columns.count) columns for \(schema.fields.count) fields")
    for (field, column) in zip(schema.fields, columns) {
      precondition(column.type == field.type, "Column \(field.name) is \(column.type), its field \(field.type)")
      precondition(column.count == rowCount, "Column \(field.name) has \(column.count) rows, the batch \(rowCount)")
    }
    self.schema = schema
    self.columns = columns
    self.rowCount = rowCount
  }

  package subscript(name: String) -> Column? { schema.index(of: name).map { columns[$0] } }

  package func slice(from start: Int, count: Int) -> Batch {
    Batch(schema: schema, columns: columns.map { $0.slice(from: start, count: count) }, rowCount: count)
  }

  /// The named columns, in the order given; nil where one is absent.
  package func selecting(_ names: [String]) -> Batch? {
    var fields: [Field] = []
    var selected: [Column] = []
    for name in names {
      guard let index = schema.index(of: name) else { return nil }
      fields.append(schema.fields[index])
      selected.append(columns[index])
    }
    return Batch(schema: Schema(fields), columns: selected, rowCount: rowCount)
  }
}
