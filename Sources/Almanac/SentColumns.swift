import Checks
import Columns
import Tables

/// Which columns of a contract the files of an input have, and which of them its rows lack.
///
/// A column that an upsert does not send stays as it is in rows that exist. In JSON Lines each row sends what it has keys for;
/// an explicit null is a value.
struct SentColumns {
  private let contract: Contract
  private let mode: ChangeMode
  /// The sets of columns that rows of an upsert lack.
  private(set) var shapes = RowShapes()
  private var rowCount = 0
  /// By position in the contract, how many rows lack a column.
  private var lackingCounts: [Int: Int] = [:]

  init(_ contract: Contract, _ mode: ChangeMode) {
    self.contract = contract
    self.mode = mode
  }

  /// What the rows of one batch lack.
  struct Lacks {
    /// Positions in the contract of columns that the file does not have.
    let columns: [Int]
    /// For each row the number of its shape; nil where all rows are whole.
    let shapes: [Int32]?

    static let nothing = Lacks(columns: [], shapes: nil)

    /// Whether some rows lack other columns than others.
    var isMixed: Bool { shapes.map { Set($0).count > 1 } ?? false }
  }

  /// Takes rows of a file into account.
  /// - Parameters:
  ///   - batch: as the file has it, without the column of marks.
  ///   - marks: see `JSONLinesReader.absentName`; nil when every row has all columns of the batch.
  mutating func note(_ batch: Batch, marks: Column?) -> Lacks {
    // A removal reads the key alone.
    guard mode != .delete else { return .nothing }
    rowCount += batch.rowCount
    let absent = contract.columns.indices.filter { batch.schema.index(of: contract.columns[$0].name) == nil }
    for column in absent { lackingCounts[column, default: 0] += batch.rowCount }
    guard mode == .upsert else { return Lacks(columns: absent, shapes: nil) }
    let common = shapes.number(of: absent)
    guard let marks else {
      return Lacks(columns: absent, shapes: common == 0 ? nil : Array(repeating: common, count: batch.rowCount))
    }
    return Lacks(columns: absent, shapes: numbers(marks, batch.schema, absent, common))
  }

  private mutating func numbers(_ marks: Column, _ schema: Schema, _ absent: [Int], _ common: Int32) -> [Int32] {
    // A key that a row lacks is a key that is null.
    let positions = schema.fields.map { field in
      contract.primaryKey.contains(field.name) ? nil : contract.columns.firstIndex { $0.name == field.name }
    }
    var known: [[UInt8]: (number: Int32, columns: [Int])] = [:]
    let bytes = marks.bytes
    return (0..<marks.count).map { row in
      guard marks.isValid(row) else { return common }
      let bits = Array(bytes[row])
      let shape =
        known[bits]
        ?? {
          let own = positions.indices.filter { bits[$0 >> 3] >> UInt8($0 & 7) & 1 != 0 }.compactMap { positions[$0] }
          return (shapes.number(of: Set(absent + own).sorted()), own)
        }()
      known[bits] = shape
      for column in shape.columns { lackingCounts[column, default: 0] += 1 }
      return shape.number
    }
  }

  /// What was not sent, in the order of the contract.
  var absences: [CommitReport.Absence] {
    lackingCounts.sorted { $0.key < $1.key }.map { column, count in
      CommitReport.Absence(column: contract.columns[column].name, rowCount: count, isEverywhere: count == rowCount)
    }
  }
}

extension Batch {
  /// The rows without the column that says which keys each of them lacks (`JSONLinesReader.absentName`), and that column.
  /// - Parameter file: the columns of the file; only the reader adds one to them.
  func splittingMarks(from file: Schema) -> (rows: Batch, marks: Column?) {
    guard schema.fields.count == file.fields.count + 1 else { return (self, nil) }
    let rows = Batch(schema: Schema(schema.fields.dropLast()), columns: Array(columns.dropLast()), rowCount: rowCount)
    return (rows, columns.last)
  }
}
