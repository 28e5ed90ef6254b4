import Columns
import JSON

/// How rows are divided before they are sorted.
package enum Partitioning: String, Hashable, Sendable {
  case none, day, month
}

/// What fixes the stored form of a dataset besides its rows: law 1 speaks of equal schema, layout and rows.
package struct TableLayout: Hashable, Sendable {
  /// Fields with their ids, in contract order.
  package var schema: Schema
  /// Key columns in clustering order.
  package let primaryKey: [String]
  package let eventTime: String?
  package let createdTime: String?
  package let partitioning: Partitioning
  /// The target row count of a leaf, a power of two, fixed when the dataset is created.
  package let leafRowCount: Int
  /// Ids of columns that the dataset has dropped, ascending: no other column ever gets them, so that values which leaves still
  /// hold under them never come back.
  package let dropped: [Int32]

  package init(
    schema: Schema, primaryKey: [String], eventTime: String?, createdTime: String?, partitioning: Partitioning, leafRowCount: Int,
    dropped: [Int32] = []
  ) {
    self.schema = schema
    self.primaryKey = primaryKey
    self.eventTime = eventTime
    self.createdTime = createdTime
    self.partitioning = partitioning
    self.leafRowCount = leafRowCount
    self.dropped = dropped.sorted()
  }

  /// The same with leaves of another size.
  package func withLeafRows(_ count: Int) -> TableLayout {
    TableLayout(
      schema: schema, primaryKey: primaryKey, eventTime: eventTime, createdTime: createdTime, partitioning: partitioning,
      leafRowCount: count, dropped: dropped)
  }

  package var keyIndices: [Int] { primaryKey.map { schema.index(of: $0)! } }
  package var keySchema: Schema { Schema(keyIndices.map { schema.fields[$0] }) }

  /// 2^⌊log2(32 MiB / row bytes)⌋ within 4 Ki…1 Mi, from the schema alone.
  package static func leafRowCount(for schema: Schema) -> Int {
    let rowByteCount = schema.fields.reduce(0) { total, field in
      total + (field.type.byteWidth ?? (field.type == .bool ? 1 : 32))
    }
    let rows = (32 << 20) / max(1, rowByteCount)
    let power = 1 << (Int.bitWidth - 1 - rows.leadingZeroBitCount)
    return min(max(power, 4 << 10), 1 << 20)
  }
}

extension TableLayout {
  package var schemaJSON: JSON {
    .array(
      schema.fields.map { field in
        [
          "id": .int(Int64(field.id ?? 0)), "name": .string(field.name), "type": .string(field.type.description),
          "required": .bool(!field.isNullable),
        ]
      })
  }

  package var layoutJSON: JSON {
    var object: [String: JSON] = [
      "primaryKey": .array(primaryKey.map { .string($0) }),
      "partition": .string(partitioning.rawValue),
      "leafRows": .int(Int64(leafRowCount)),
    ]
    if let eventTime { object["eventTime"] = .string(eventTime) }
    if let createdTime { object["createdTime"] = .string(createdTime) }
    if !dropped.isEmpty { object["dropped"] = .array(dropped.map { .int(Int64($0)) }) }
    return .object(object)
  }

  /// - Throws: `TableError` of kind `corrupt` when the JSON is not what the properties above write.
  package init(schemaJSON: JSON, layoutJSON: JSON) throws(TableError) {
    var fields: [Field] = []
    for item in schemaJSON.arrayValue ?? [] {
      guard let name = item["name"]?.stringValue, let type = item["type"]?.stringValue.flatMap({ DataType(parsing: $0) }),
        let id = item["id"]?.intValue, let required = item["required"]?.boolValue
      else { throw TableError(.corrupt, "The stored schema has a field that cannot be read: \(item.text())") }
      fields.append(Field(name, type, isNullable: !required, id: Int32(truncatingIfNeeded: id)))
    }
    let schema = Schema(fields)
    guard let key = layoutJSON["primaryKey"]?.arrayValue?.compactMap(\.stringValue), !key.isEmpty,
      key.allSatisfy({ schema.index(of: $0) != nil }),
      let partitioning = layoutJSON["partition"]?.stringValue.flatMap({ Partitioning(rawValue: $0) }),
      let leafRows = layoutJSON["leafRows"]?.intValue, leafRows > 0, leafRows & (leafRows - 1) == 0
    else { throw TableError(.corrupt, "The stored layout cannot be read: \(layoutJSON.text())") }
    let dropped = (layoutJSON["dropped"]?.arrayValue ?? []).map { $0.intValue.flatMap { Int32(exactly: $0) } }
    guard !dropped.contains(nil), !schema.fields.contains(where: { field in dropped.contains { $0 == field.id } }) else {
      throw TableError(.corrupt, "The stored layout cannot be read: a column of the schema is among those dropped")
    }
    self.init(
      schema: schema, primaryKey: key, eventTime: layoutJSON["eventTime"]?.stringValue,
      createdTime: layoutJSON["createdTime"]?.stringValue, partitioning: partitioning, leafRowCount: Int(leafRows),
      dropped: dropped.compactMap { $0 })
  }
}
