import Checks
import Columns
import Features
import History
import JSON
import Tables

/// A training set kept as a dataset: its rows in label order under a row number, and the recipe it came from.
///
/// Rows are taken as they are joined: what comes in one part stays in memory, where it was anyway; more goes through files.
struct SavedTrainingSet {
  /// The key of a saved training set, which has none by itself: a label row may occur twice. Counted from 0.
  static let rowColumn = "_almanac_row"

  let name: String
  let contract: Contract
  /// What the rows are collected under.
  let layout: TableLayout
  private var collector: InputCollector
  /// All rows, where they came in one part.
  private var whole: Batch?
  private var rowCount = 0

  /// What waits in memory, with what sorting a part takes; batches of joined labels are larger than this anyway.
  static let memoryByteCount = 256 << 20

  /// - Throws: `AlmanacError` when a column has a type that datasets do not hold, `TableError` when columns cannot change like this.
  init(
    name: String, schema: Schema, archive: Archive, evolving base: TableLayout?, memoryByteCount: Int = memoryByteCount
  ) throws {
    contract = try Self.contract(name: name, schema: schema)
    layout = try contract.layout(evolving: base)
    self.name = name
    collector = InputCollector(archive: archive, layout: layout, memoryByteCount: memoryByteCount)
  }

  private static func contract(name: String, schema: Schema) throws -> Contract {
    let allowed = name.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_")
    }
    guard allowed, name.first?.isLetter == true || name.first == "_" else {
      throw AlmanacError(
        .usage, "Cannot save a training set as \(name): a dataset's name has letters, digits and _, and starts with no digit")
    }
    var fields = [Field(rowColumn, .int64, isNullable: false)]
    for field in schema.fields {
      guard let type = field.type.datasetType else {
        throw AlmanacError(
          .failed, "Cannot save the training set as \(name): column \(field.name) is \(field.type), which datasets do not hold",
          hint: "Write it to a file with --out, or leave the column out of the labels.")
      }
      fields.append(Field(field.name, type))
    }
    return Contract(
      name: name, version: "1.0.0", description: "A training set, made by `almanac train --save`.",
      columns: fields.map {
        ContractColumn(name: $0.name, type: $0.type, isRequired: !$0.isNullable, primaryKeyPosition: $0.name == rowColumn ? 1 : nil)
      },
      primaryKey: [rowColumn], partition: .none)
  }

  /// Takes the next rows. - Complexity: O(bytes)
  mutating func add(_ training: Batch, isLast: Bool) throws(AlmanacError) {
    try AlmanacError.translating {
      var numbers = GrowableBuffer(byteCapacity: training.rowCount * 8)
      for row in rowCount..<rowCount + training.rowCount { numbers.append(Int64(row)) }
      let keys = Column(type: .int64, count: training.rowCount, data: numbers.finish())
      let columns = try zip(training.columns, contract.columns.dropFirst()).map { try $0.cast(to: $1.type) }
      let rows = layout.padded(Batch(schema: contract.schema, columns: [keys] + columns, rowCount: training.rowCount))
      if isLast && rowCount == 0 { whole = rows } else { try collector.add(rows) }
      rowCount += training.rowCount
    }
  }

  /// All rows. - Throws: `StoreError` when they cannot be written to a file.
  func rows() throws -> TableInput {
    if let whole { return .batches([whole]) }
    var collector = collector
    return try collector.finish()
  }
}
