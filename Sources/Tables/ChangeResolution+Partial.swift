import Columns
import History

/// Values of one column for rows that lack it.
struct AbsentValues: Sendable {
  /// The column's position in the layout's schema.
  let column: Int
  /// Rows of the input, sorted.
  let rows: [Int32]
  let values: Column
}

/// What the rows of an input lack.
struct RowGaps: Sendable {
  let origins: RowOrigins
  let shapes: RowShapes
  /// By column that some shape lacks, and by the number of a shape.
  private let lacking: [Int: [Bool]]

  init(_ origins: RowOrigins, _ shapes: RowShapes) {
    self.origins = origins
    self.shapes = shapes
    lacking = Dictionary(uniqueKeysWithValues: shapes.columns.map { ($0, shapes.lacking($0)) })
  }

  var columns: [Int] { lacking.keys.sorted() }

  func lacks(_ column: Int, row: Int) -> Bool { lacking[column]?[Int(origins.shapes[row])] ?? false }

  /// Those of some rows that lack a column.
  func rows(lacking column: Int, among rows: [Int]) -> [Int] {
    guard let isAbsent = lacking[column] else { return [] }
    return rows.filter { isAbsent[Int(origins.shapes[$0])] }
  }
}

extension ChangeResolver {
  /// Finds out what rows that may lack columns come to: each is compared by the columns that it has, and gets the others from
  /// the row that is there.
  /// - Returns: the change, of whole rows; and all rows as they will be, unless none of them lacks a column.
  func resolve(_ part: SortedPart, _ shapes: RowShapes) throws -> (change: PartitionChange, completed: CompletedRows?) {
    guard let origins = part.origins, !origins.isWhole else {
      return (try resolve(part.rows, isDelete: nil, firstRow: 0), nil)
    }
    let found = try look(for: part.rows, RowGaps(origins, shapes))
    let change = PartitionChange(
      view: view, content: .operations(operations(found, isDelete: nil, firstRow: 0).operations), conflictRows: [])
    return (change, CompletedRows(rows: found.rows, origins: origins, shapes: shapes, exists: found.exists))
  }

  /// What a leaf has of the columns that rows lack.
  /// - Parameter pairs: rows, from `firstRow` on, whose key is in the leaf.
  func absentValues(
    _ gaps: RowGaps, firstRow: Int, in stored: StoredRows, _ search: KeySearch, _ pairs: [Int]
  ) throws -> [AbsentValues] {
    try gaps.columns.compactMap { column in
      let lacking = gaps.rows(lacking: column, among: pairs.map { firstRow + $0 })
      guard let first = lacking.first, let last = lacking.last else { return nil }
      let places = lacking.map { search.lower[$0 - firstRow] }
      let range = Int(search.lower[first - firstRow])..<Int(search.lower[last - firstRow]) + 1
      let values = try stored.read([layout.schema.fields[column]], rows: range).columns[0]
      return AbsentValues(
        column: column, rows: lacking.map { Int32($0) }, values: values.take(places.map { $0 - Int32(range.lowerBound) }))
    }
  }

  /// What tails have of the columns that rows lack.
  /// - Parameter pairs: rows of the input, and the operation that puts their key in place.
  func absentValues(_ gaps: RowGaps, in tail: RowOperations, _ inTail: KeySearch, _ pairs: [Int]) -> [AbsentValues] {
    gaps.columns.compactMap { column in
      let lacking = gaps.rows(lacking: column, among: pairs)
      guard !lacking.isEmpty, let values = tail.rows[layout.schema.fields[column].name] else { return nil }
      return AbsentValues(column: column, rows: lacking.map { Int32($0) }, values: values.take(lacking.map { inTail.lower[$0] }))
    }
  }

  /// The rows with the values that they lack; null stays where there is none.
  func completed(_ input: Batch, with found: [AbsentValues]) -> Batch {
    guard !found.isEmpty else { return input }
    var columns = input.columns
    for (position, values) in Dictionary(grouping: found, by: \.column) {
      var choice = (0..<Int32(input.rowCount)).map { $0 }
      var next = Int32(input.rowCount)
      for part in values {
        for row in part.rows {
          choice[Int(row)] = next
          next += 1
        }
      }
      columns[position] = Column.concatenate([columns[position]] + values.map(\.values)).take(choice)
    }
    return Batch(schema: input.schema, columns: columns, rowCount: input.rowCount)
  }
}
