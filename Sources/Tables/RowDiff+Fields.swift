import Columns

extension RowDiff {
  /// Which columns of two versions are the same field.
  package struct Fields: Sendable {
    package struct Pair: Sendable {
      package let id: Int32
      /// The newer version's name; the older one's for a column that only it has.
      package let name: String
      /// Positions in the two schemas; nil where one has no such column.
      package let old: Int?
      package let new: Int?
      /// The wider of both types, in which values are compared.
      package let type: DataType
      /// A column that only one version has, because the other one dropped it: its values say nothing about the rows.
      package var isDropped = false
    }

    /// In the order of the newer schema, then the columns that only the older one has.
    package let pairs: [Pair]

    /// - Parameter dropped: fields that one of the versions has dropped.
    package init(old: Schema, new: Schema, dropped: Set<Int32> = []) {
      var pairs: [Pair] = []
      var matched: Set<Int> = []
      for (position, field) in new.fields.enumerated() {
        let other = old.fields.firstIndex { $0.id != nil && $0.id == field.id }
        // One id under two types that cannot be compared is no match.
        if let other, let type = DataType.widest(old.fields[other].type, field.type) {
          matched.insert(other)
          pairs.append(Pair(id: field.id ?? 0, name: field.name, old: other, new: position, type: type))
        } else {
          pairs.append(Pair(id: field.id ?? 0, name: field.name, old: nil, new: position, type: field.type))
        }
      }
      for (position, field) in old.fields.enumerated() where !matched.contains(position) {
        pairs.append(Pair(id: field.id ?? 0, name: field.name, old: position, new: nil, type: field.type))
      }
      for index in pairs.indices where dropped.contains(pairs[index].id) { pairs[index].isDropped = true }
      self.pairs = pairs
    }
  }

  /// How the columns of a dataset differ between two versions.
  package enum SchemaChange: Hashable, Sendable {
    case added(column: String, type: DataType)
    case dropped(column: String, type: DataType)
    case renamed(from: String, to: String)
    case widened(column: String, from: DataType, to: DataType)

    /// In the order of the newer schema, then what was dropped.
    package static func between(_ old: Schema, _ new: Schema) -> [SchemaChange] {
      var changes: [SchemaChange] = []
      for pair in Fields(old: old, new: new).pairs {
        switch (pair.old.map { old.fields[$0] }, pair.new.map { new.fields[$0] }) {
        case (let before?, let after?):
          if before.name != after.name { changes.append(.renamed(from: before.name, to: after.name)) }
          if before.type != after.type { changes.append(.widened(column: after.name, from: before.type, to: after.type)) }
        case (nil, let after?): changes.append(.added(column: after.name, type: after.type))
        case (let before?, nil): changes.append(.dropped(column: before.name, type: before.type))
        case (nil, nil): break
        }
      }
      return changes
    }
  }
}

extension DataType {
  /// The type that holds every value of both exactly; nil when neither does.
  static func widest(_ a: DataType, _ b: DataType) -> DataType? {
    if a == b { return a }
    switch (a, b) {
    case (.decimal(let x, let scale), .decimal(let y, let other)):
      return scale == other ? .decimal(precision: max(x, y), scale: scale) : nil
    case (.float32, .float64), (.float64, .float32): return .float64
    default: break
    }
    let signed: [DataType] = [.int8, .int16, .int32, .int64]
    let unsigned: [DataType] = [.uint8, .uint16, .uint32, .uint64]
    for family in [signed, unsigned] {
      if let x = family.firstIndex(of: a), let y = family.firstIndex(of: b) { return family[max(x, y)] }
    }
    return nil
  }
}
