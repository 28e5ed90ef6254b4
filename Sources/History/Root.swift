import JSON
import Objects

/// One version of one dataset.
package struct Root: Hashable, Sendable {
  package let schema: JSON
  package let layout: JSON
  /// The tree over the partitions, which holds what is in leaves.
  package let partitions: NodeID
  /// With what the tails add and take away.
  package let rowCount: Int
  /// Recent small writes that are not in the leaves yet.
  package let tails: TailList

  package init(schema: JSON, layout: JSON, partitions: NodeID, rowCount: Int, tails: TailList = TailList()) {
    self.schema = schema
    self.layout = layout
    self.partitions = partitions
    self.rowCount = rowCount
    self.tails = tails
  }

  static let format: Int64 = 1

  /// Canonical JSON, whose SHA-256 is the root's id.
  package var canonicalBytes: [UInt8] {
    var members: [String: JSON] = [
      "format": .int(Self.format), "schema": schema, "layout": layout, "partitions": .string(partitions.hex),
      "rows": .int(Int64(rowCount)), "tails": tails.json,
    ]
    if !tails.folded.isEmpty { members["folded"] = tails.foldedJSON }
    return JSON.object(members).canonicalBytes
  }

  init(decoding bytes: [UInt8], object: String) throws(StoreError) {
    let fields = try StoredJSON(bytes, object: object, format: Self.format)
    schema = try fields.value("schema")
    layout = try fields.value("layout")
    partitions = try fields.id("partitions")
    rowCount = try fields.count("rows")
    tails = try TailList(decoding: fields)
  }
}

/// The fields of a stored JSON object, with errors that name the object.
struct StoredJSON {
  let json: JSON
  let object: String

  init(_ bytes: [UInt8], object: String, format: Int64) throws(StoreError) {
    self.object = object
    do {
      json = try JSON(parsing: bytes)
    } catch {
      throw StoreError(kind: .corrupt, text: "Cannot read \(object): \(error)")
    }
    let found = try integer("format")
    guard found == format else { throw corrupt("expected format \(format), found \(found)") }
  }

  init(_ json: JSON, object: String) {
    self.json = json
    self.object = object
  }

  func corrupt(_ text: String) -> StoreError { StoreError(kind: .corrupt, text: "Cannot read \(object): \(text)") }

  func value(_ name: String) throws(StoreError) -> JSON {
    guard let value = json[name] else { throw corrupt("expected a member \(name), found none") }
    return value
  }

  func integer(_ name: String) throws(StoreError) -> Int64 {
    guard case .int(let number) = try value(name) else { throw corrupt("expected an integer as \(name)") }
    return number
  }

  func count(_ name: String) throws(StoreError) -> Int {
    let number = try integer(name)
    guard number >= 0 else { throw corrupt("expected a count as \(name), found \(number)") }
    return Int(number)
  }

  func string(_ name: String) throws(StoreError) -> String {
    guard case .string(let text) = try value(name) else { throw corrupt("expected a string as \(name)") }
    return text
  }

  func array(_ name: String) throws(StoreError) -> [JSON] {
    guard case .array(let items) = try value(name) else { throw corrupt("expected an array as \(name)") }
    return items
  }

  func members(_ name: String) throws(StoreError) -> [String: JSON] {
    guard case .object(let members) = try value(name) else { throw corrupt("expected an object as \(name)") }
    return members
  }

  func id<ID: HashID>(_ name: String, _: ID.Type = ID.self) throws(StoreError) -> ID {
    let text = try string(name)
    guard let id = ID(hex: text) else { throw corrupt("expected 64 hexadecimal digits as \(name), found \(text)") }
    return id
  }
}
