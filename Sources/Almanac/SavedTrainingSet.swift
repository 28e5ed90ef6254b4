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
  /// The key of a saved training set, which has none by itself: a label row may occur twice. Counted from 0, unless the labels say
  /// which rows of an earlier training set they are.
  static let rowColumn = ReservedName.rowNumber

  let name: String
  let contract: Contract
  /// What the rows are collected under.
  let layout: TableLayout
  private var collector: InputCollector
  /// All rows, where they came in one part.
  private var whole: Batch?
  private var rowCount = 0
  /// Where the rows have their numbers, where they have them: labels that were checked out of a saved training set.
  private let numberIndex: Int?
  private var lastNumber: Int64?

  /// What waits in memory, with what sorting a part takes; batches of joined labels are larger than this anyway.
  static let memoryByteCount = 256 << 20

  /// - Throws: `AlmanacError` when a column has a type that datasets do not hold, `TableError` when columns cannot change like this.
  init(
    name: String, schema: Schema, archive: Archive, evolving base: TableLayout?, memoryByteCount: Int = memoryByteCount
  ) throws {
    contract = try Self.contract(name: name, schema: schema)
    numberIndex = schema.index(of: Self.rowColumn)
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
    guard !ReservedName.holds(name) else {
      throw AlmanacError(
        .usage, "Cannot save a training set as \(name): names that begin with \(ReservedName.prefix) are Almanac's own",
        hint: "Choose another name.")
    }
    var fields = [Field(rowColumn, .int64, isNullable: false)]
    for field in schema.fields where field.name != rowColumn {
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
      let keys = try numberIndex.map { try numbers(in: training.columns[$0]) } ?? Self.numbers(from: rowCount, count: training.rowCount)
      let values = training.columns.indices.filter { $0 != numberIndex }.map { training.columns[$0] }
      let columns = try zip(values, contract.columns.dropFirst()).map { try $0.cast(to: $1.type) }
      let rows = layout.padded(Batch(schema: contract.schema, columns: [keys] + columns, rowCount: training.rowCount))
      if isLast && rowCount == 0 { whole = rows } else { try collector.add(rows) }
      rowCount += training.rowCount
    }
  }

  private static func numbers(from first: Int, count: Int) -> Column {
    var numbers = GrowableBuffer(byteCapacity: count * 8)
    for row in first..<first + count { numbers.append(Int64(row)) }
    return Column(type: .int64, count: count, data: numbers.finish())
  }

  /// The numbers that rows have as labels, checked to keep the rows in the order of the labels, each one apart.
  private mutating func numbers(in column: Column) throws -> Column {
    func refuse(_ what: String) -> AlmanacError {
      AlmanacError(
        .failed, "Cannot save the training set as \(name): label column \(Self.rowColumn), the row's number in a saved one, \(what)",
        hint: "Leave the column out of the labels, then rows are numbered from 0, or sort the labels by it.")
    }
    let numbers: Column
    do {
      guard column.type.isInteger else { throw CastError(from: column.type, to: .int64, reason: .unsupported) }
      numbers = try column.cast(to: .int64)
    } catch {
      throw refuse("must be int64, found \(column.type)")
    }
    if let row = (0..<numbers.count).first(where: { !numbers.isValid($0) }) {
      throw refuse("must have a value in every row, found null in row \(rowCount + row + 1)")
    }
    let values = numbers.values(Int64.self)
    for row in 0..<numbers.count {
      if let last = lastNumber, values[row] <= last {
        throw refuse("must ascend, found \(values[row]) after \(last) in row \(rowCount + row + 1)")
      }
      lastNumber = values[row]
    }
    return numbers
  }

  /// All rows. - Throws: `StoreError` when they cannot be written to a file.
  func rows() throws -> TableInput {
    if let whole { return .batches([whole]) }
    var collector = collector
    return try collector.finish()
  }
}
