import Columns
import Testing

@testable import Parquet

/// The examples of parquet-format/LogicalTypes.md, "Nested Types".
@Suite struct ColumnTreeTests {
  static func group(
    _ repetition: Repetition?, _ name: String, _ count: Int32, converted: ConvertedType? = nil, logical: LogicalType? = nil
  ) -> SchemaElement {
    var element = SchemaElement()
    element.repetition = repetition
    element.name = name
    element.childCount = count
    element.convertedType = converted
    element.logicalType = logical
    return element
  }

  static func leaf(_ repetition: Repetition, _ name: String, _ type: PhysicalType, id: Int32? = nil, text: Bool = false) -> SchemaElement {
    var element = SchemaElement()
    element.repetition = repetition
    element.name = name
    element.type = type
    element.fieldID = id
    element.logicalType = text ? .string : nil
    return element
  }

  static func field(_ elements: SchemaElement...) throws -> Field {
    let tree = try ColumnTree([group(nil, "schema", 1)] + elements, hints: TypeHints([:]))
    return tree.columns[0].field
  }

  static let text = Field("str", .string, isNullable: false)
  static let number = Field("num", .int32, isNullable: false)

  @Test func unannotatedRepeatedFieldsAreRequiredLists() throws {
    #expect(try Self.field(Self.leaf(.repeated, "num", .int32)) == Field("num", .list(Self.number), isNullable: false))
    let record = Field("my_list", .structure([Self.number, Field("str", .string)]), isNullable: false)
    #expect(
      try Self.field(
        Self.group(.repeated, "my_list", 2), Self.leaf(.required, "num", .int32), Self.leaf(.optional, "str", .byteArray, text: true))
        == Field("my_list", .list(record), isNullable: false))
  }

  @Test func listsOfThreeLevelsWhateverTheNames() throws {
    #expect(
      try Self.field(
        Self.group(.required, "my_list", 1, logical: .list), Self.group(.repeated, "list", 1),
        Self.leaf(.optional, "element", .byteArray, id: 7, text: true))
        == Field("my_list", .list(Field("element", .string, id: 7)), isNullable: false))
    #expect(
      try Self.field(
        Self.group(.optional, "my_list", 1, converted: .list), Self.group(.repeated, "element", 1),
        Self.leaf(.required, "str", .byteArray, text: true)) == Field("my_list", .list(Self.text)))
  }

  @Test func listsOfTwoLevels() throws {
    // Rule 1.
    #expect(
      try Self.field(Self.group(.optional, "my_list", 1, logical: .list), Self.leaf(.repeated, "num", .int32))
        == Field("my_list", .list(Self.number)))
    // Rule 2.
    #expect(
      try Self.field(
        Self.group(.optional, "my_list", 1, logical: .list), Self.group(.repeated, "element", 2),
        Self.leaf(.required, "str", .byteArray, text: true), Self.leaf(.required, "num", .int32))
        == Field("my_list", .list(Field("element", .structure([Self.text, Self.number]), isNullable: false))))
    // Rule 3.
    #expect(
      try Self.field(
        Self.group(.optional, "my_list", 1, logical: .list), Self.group(.repeated, "array", 1, logical: .list),
        Self.leaf(.repeated, "num", .int32))
        == Field("my_list", .list(Field("array", .list(Self.number), isNullable: false))))
    // Rule 4.
    for name in ["array", "my_list_tuple"] {
      #expect(
        try Self.field(
          Self.group(.optional, "my_list", 1, logical: .list), Self.group(.repeated, name, 1),
          Self.leaf(.required, "str", .byteArray, text: true))
          == Field("my_list", .list(Field(name, .structure([Self.text]), isNullable: false))))
    }
  }

  @Test func mapsOfOldAndNewNames() throws {
    for (converted, repetition) in [(ConvertedType.map, Repetition.required), (.mapKeyValue, .optional)] {
      #expect(
        try Self.field(
          Self.group(.optional, "my_map", 1, converted: converted), Self.group(.repeated, "map", 2, converted: .mapKeyValue),
          Self.leaf(repetition, "str", .byteArray, text: true), Self.leaf(.optional, "num", .int32))
          == Field("my_map", .map(key: Self.text, value: Field("num", .int32))))
    }
    #expect(
      try Self.field(
        Self.group(.required, "set", 1, logical: .map), Self.group(.repeated, "key_value", 1),
        Self.leaf(.required, "str", .byteArray, text: true)) == Field("set", .list(Self.text), isNullable: false))
  }

  @Test func levelsCountOptionalAndRepeatedNodes() throws {
    let tree = try ColumnTree(
      [
        Self.group(nil, "schema", 1), Self.group(.optional, "a", 1, logical: .list), Self.group(.repeated, "list", 1),
        Self.group(.optional, "element", 1), Self.leaf(.required, "x", .int64),
      ], hints: TypeHints([:]))
    #expect(tree.leaves[0].path == "a.list.element.x")
    #expect(tree.leaves[0].levels == NodeLevels(definition: 3, repetition: 1, slot: 2))
    #expect(tree.columns[0].levels == NodeLevels(definition: 1, repetition: 0, slot: 0))
  }

  @Test func damagedAndBottomlessSchemasAreRefused() {
    func error(_ elements: [SchemaElement]) -> String? {
      do throws(ParquetError) {
        _ = try ColumnTree(elements, hints: TypeHints([:]))
        return nil
      } catch {
        return error.text
      }
    }
    #expect(error([]) == "Cannot read the footer: it has no schema")
    #expect(error([Self.group(nil, "m", 2), Self.leaf(.required, "a", .int32)])?.contains("m claims 2 columns") == true)
    #expect(error([Self.group(nil, "m", 1), Self.group(.optional, "g", 0)])?.contains("it is a group without columns") == true)
    let deep = (0..<200).map { Self.group(.optional, "g\($0)", 1) } + [Self.leaf(.required, "x", .int32)]
    #expect(error(deep) == "Cannot read the footer: its schema nests more than 120 deep")
    #expect(error(Array(deep.suffix(100))) == nil)
  }

  @Test func fiveThousandColumnsAreOpened() throws {
    let fields = (0..<5000).map { Field("c\($0)", .int32, isNullable: false) }
    let column = Column(.int32, [.int(1), .int(2)])
    let batch = Batch(schema: Schema(fields), columns: fields.map { _ in column }, rowCount: 2)
    let reader = try ParquetReader(bytes: ParquetWriter.encode(batch, options: .export))
    var scan = ParquetScan(reader)
    let back = try #require(try scan.next())
    #expect(back.columns.count == 5000 && back.columns[4999].scalars == [.int(1), .int(2)])
  }
}
