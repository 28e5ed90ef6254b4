import Columns

/// An element of the schema tree as it is written, parents before children.
struct WrittenElement: Sendable {
  var name: String
  var repetition: Repetition
  var fieldID: Int32?
  var childCount = 0
  /// Nil for groups.
  var physicalType: PhysicalType?
  var fixedByteCount = 0
  var converted: ConvertedType?
  var annotation: Annotation?
}

/// The schema of a file to write: its elements, and the leaves that hold values.
///
/// Lists are three levels (`name (LIST)`, repeated `list`, `element`), maps `name (MAP)`, repeated `key_value`, `key` and
/// `value`, as LogicalTypes.md of the format wants them.
struct WriterSchema: Sendable {
  private(set) var elements: [WrittenElement] = []
  private(set) var leaves: [ColumnLayout] = []
  /// Why no file can have this schema.
  private(set) var refusal: ParquetError?

  /// Levels are kept in a byte each.
  private static let levelMax = 255

  init(_ schema: Schema) {
    for (index, field) in schema.fields.enumerated() {
      add(field, named: field.name, Position(path: [], column: index, steps: [], definitionMax: 0, repetitionMax: 0))
    }
  }

  fileprivate struct Position {
    var path: [String]
    var column: Int
    var steps: [ColumnLayout.Step]
    var definitionMax: Int
    var repetitionMax: Int
  }

  private mutating func add(_ field: Field, named name: String, _ parent: Position) {
    var here = parent
    here.path.append(name)
    if field.isNullable { here.definitionMax += 1 }
    guard here.definitionMax < Self.levelMax else {
      refuse("Cannot write column \(parent.path.first ?? name): it is nested more than \(Self.levelMax) levels deep")
      return
    }
    let repetition = field.isNullable ? Repetition.optional : .required
    switch field.type {
    case .list(let element):
      elements.append(
        WrittenElement(name: name, repetition: repetition, fieldID: field.id, childCount: 1, converted: .list, annotation: .list))
      elements.append(WrittenElement(name: "list", repetition: .repeated, childCount: 1))
      add(element, named: "element", here.below(field, child: 0, repeated: "list"))
    case .map(var key, let value):
      elements.append(
        WrittenElement(name: name, repetition: repetition, fieldID: field.id, childCount: 1, converted: .map, annotation: .map))
      elements.append(WrittenElement(name: "key_value", repetition: .repeated, childCount: 2))
      // An entry without a key has no place in the format, whatever the field says.
      key.isNullable = false
      let entries = here.below(field, child: 0, repeated: "key_value")
      let entry = Field("key_value", .structure([key, value]), isNullable: false)
      add(key, named: "key", entries.below(entry, child: 0))
      add(value, named: "value", entries.below(entry, child: 1))
    case .structure(let fields):
      if fields.isEmpty {
        refuse("Cannot write column \(here.path.joined(separator: ".")): a structure without fields has no form in Parquet")
      }
      elements.append(WrittenElement(name: name, repetition: repetition, fieldID: field.id, childCount: fields.count))
      for (index, child) in fields.enumerated() { add(child, named: child.name, here.below(field, child: index)) }
    default:
      if case .fixedBinary(let byteWidth) = field.type, byteWidth < 1 {
        refuse("Cannot write column \(here.path.joined(separator: ".")): it has values of \(byteWidth) bytes, expected at least 1")
      }
      let leaf = ColumnLayout(
        field, path: here.path, column: here.column, steps: here.steps, definitionMax: here.definitionMax, repetitionMax: here.repetitionMax
      )
      elements.append(
        WrittenElement(
          name: name, repetition: repetition, fieldID: field.id, physicalType: leaf.physicalType, fixedByteCount: leaf.fixedByteCount,
          converted: leaf.converted, annotation: leaf.annotation))
      leaves.append(leaf)
    }
  }

  private mutating func refuse(_ text: String) {
    if refusal == nil { refusal = .unsupported(text) }
  }
}

extension WriterSchema.Position {
  /// The place of a child of this nested field.
  fileprivate func below(_ field: Field, child: Int, repeated: String? = nil) -> Self {
    var position = self
    position.steps.append(ColumnLayout.Step(isNullable: field.isNullable, child: child))
    if let repeated {
      position.path.append(repeated)
      position.definitionMax += 1
      position.repetitionMax += 1
    }
    return position
  }
}
