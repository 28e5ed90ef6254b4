/// A named, typed column of a schema.
package struct Field: Hashable, Sendable {
  package var name: String
  package var type: DataType
  package var isNullable: Bool
  /// The stable id that survives renames; nil where the column has none yet (a file from elsewhere).
  package var id: Int32?

  package init(_ name: String, _ type: DataType, isNullable: Bool = true, id: Int32? = nil) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.id = id
  }
}

/// The ordered fields of a table.
package struct Schema: Hashable, Sendable {
  package var fields: [Field]

  package init(_ fields: [Field]) { self.fields = fields }

  package func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

  package subscript(name: String) -> Field? { index(of: name).map { fields[$0] } }
}

/// Names of columns that are Almanac's own, beside those of users.
package enum ReservedName {
  /// What the names of all of them begin with: nothing that users name, and that can become a column, does.
  package static let prefix = "_almanac"

  /// The key of a saved training set. The one that labels may have, as they do when they were checked out of such a set.
  package static let rowNumber = "_almanac_row"

  package static func holds(_ name: String) -> Bool { name.hasPrefix(prefix) }
}
