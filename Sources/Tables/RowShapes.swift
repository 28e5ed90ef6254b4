import Columns

/// Which columns the rows of an input did not bring.
///
/// A change leaves such columns as they are in rows that exist; in new rows they are null. Most rows of an input lack the same
/// columns, so that a row only has the number of its set.
package struct RowShapes: Sendable {
  /// Distinct sets of absent columns, as ascending positions in the layout's schema; the first is the empty one, of whole rows.
  package private(set) var absent: [[Int]] = [[]]
  private var numbers: [[Int]: Int32] = [[]: 0]

  package init() {}

  /// The number of a set of absent columns. - Parameter set: ascending positions.
  package mutating func number(of set: [Int]) -> Int32 {
    if let number = numbers[set] { return number }
    let number = Int32(absent.count)
    absent.append(set)
    numbers[set] = number
    return number
  }

  /// Columns that some shape lacks, ascending.
  package var columns: [Int] { Set(absent.joined()).sorted() }

  /// By the number of a shape, whether it lacks a column.
  package func lacking(_ column: Int) -> [Bool] { absent.map { $0.contains(column) } }
}

/// Where the rows of a part of an input came from, and what they lacked.
package struct RowOrigins: Sendable {
  /// For each row the number of its shape.
  package let shapes: [Int32]
  /// For each row its number in the input, from 0; -1 where it is not known, as for whole rows that went through files.
  package let inputRows: [Int]

  /// Whether no row lacks a column.
  var isWhole: Bool { shapes.allSatisfy { $0 == 0 } }
}

/// Rows of an input as they will be stored: whole, with what they lacked filled in.
package struct CompletedRows: Sendable {
  /// Under the layout's schema.
  package let rows: Batch
  package let origins: RowOrigins
  package let shapes: RowShapes
  /// For each row whether its key was there before.
  package let exists: [Bool]

  /// Rows that did not bring a column. - Parameter column: its position in the layout's schema.
  package func rows(lacking column: Int) -> [Int32] {
    let isAbsent = shapes.lacking(column)
    return origins.shapes.indices.filter { isAbsent[Int(origins.shapes[$0])] }.map { Int32($0) }
  }
}

/// Sees the rows of a change that lacked columns, once they are whole and before it is known whether they differ from what is
/// stored. Called by one thread.
package protocol CompletionObserver: AnyObject {
  /// What was noted is void: the rows come again.
  func restart()
  /// - Throws: to end the change.
  func note(_ rows: CompletedRows) throws
  /// All rows have come. - Throws: to end the change.
  func settle() throws
}

/// Sorted rows of one partition, to be resolved against what is there.
struct SortedPart: Sendable {
  /// Under the layout's schema; nulls in columns that a row lacks.
  let rows: Batch
  /// nil where no row of the input lacks a column.
  let origins: RowOrigins?
}

/// Rows in the order of (partition, key) that are taken a part at a time.
protocol SortedParts {
  associatedtype Cursor: SortedPartCursor
  var rowCount: Int { get }
  /// Partitions that have rows, ascending.
  var partitions: [Int64] { get }
  /// nil where no row lacks a column.
  var shapes: RowShapes? { get }
  func cursor(_ partition: Int64) -> Cursor
}

/// The rows of one partition, ascending by key.
protocol SortedPartCursor {
  /// The next rows; nil at the end.
  mutating func next() throws -> SortedPart?
}
