import Columns

/// Reads the lines of a chunk into batches.
struct JSONChunkParser: Sendable {
  let schema: Schema
  let keys: JSONKeys
  let isInferred: [Bool]
  let wholeNumbers: WholeNumberColumns
  let batchRowCount: Int
  /// Whether types were inferred from a part of the file only.
  let isSampled: Bool
  var marksAbsentKeys = false

  /// - Throws: `TextError` with lines counted from the chunk's start.
  func parse(_ chunk: TextChunk) throws(TextError) -> [Batch] {
    try chunk.bytes.withBytes { (raw) throws(TextError) in
      var batches: [Batch] = []
      var place = JSONLinePlace(position: 0, line: 1)
      // A line without an end is one more.
      var lineCountLeft = TextError.lineCount(before: raw.count, of: raw) + 1
      while place.position < raw.count {
        let batch = try parseBatch(raw, &place, rowCountMax: min(batchRowCount, lineCountLeft))
        if batch.rowCount > 0 { batches.append(batch) }
        lineCountLeft -= batch.rowCount
      }
      return batches
    }
  }

  private func parseBatch(_ raw: UnsafeRawBufferPointer, _ place: inout JSONLinePlace, rowCountMax: Int) throws(TextError) -> Batch {
    var columns = schema.fields.map { RowColumn($0.type, capacity: rowCountMax) }
    var marks: [(row: Int, bits: [UInt8])] = []
    var row = 0
    while row < rowCountMax, let (range, line) = place.nextLine(raw) {
      var scanner = JSONLineScanner(raw, start: range.lowerBound, end: range.upperBound, line: line)
      guard try scanner.begin() else { continue }
      try parseMembers(&scanner, row, &columns)
      try scanner.finish()
      row += 1
      for index in columns.indices where columns[index].count < row {
        if marksAbsentKeys && marks.last?.row != row - 1 { marks.append((row - 1, Self.absentBits(columns, row))) }
        columns[index].appendNull()
      }
    }
    let found = columns.map { $0.finish() }
    guard !marks.isEmpty else { return Batch(schema: schema, columns: found, rowCount: row) }
    let fields = schema.fields + [Field(JSONLinesReader.absentName, .binary)]
    return Batch(schema: Schema(fields), columns: found + [Self.column(of: marks, rowCount: row)], rowCount: row)
  }

  /// A bit for each column that the last of `rowCount` rows has no value for.
  private static func absentBits(_ columns: [RowColumn], _ rowCount: Int) -> [UInt8] {
    var bits = [UInt8](repeating: 0, count: (columns.count + 7) / 8)
    for index in columns.indices where columns[index].count < rowCount { bits[index >> 3] |= 1 << UInt8(index & 7) }
    return bits
  }

  private static func column(of marks: [(row: Int, bits: [UInt8])], rowCount: Int) -> Column {
    var builder = ColumnBuilder(.binary, capacity: rowCount)
    for mark in marks {
      while builder.count < mark.row { builder.appendNull() }
      mark.bits.withUnsafeBytes { builder.append(bytes: $0) }
    }
    while builder.count < rowCount { builder.appendNull() }
    return builder.finish()
  }

  @inline(__always) private func parseMembers(_ scanner: inout JSONLineScanner, _ row: Int, _ columns: inout [RowColumn]) throws(TextError)
  {
    var isFirst = true
    var expected = 0
    while let key = try scanner.nextKey(isFirst: &isFirst) {
      guard let index = keys.index(of: key, expected: expected) ?? JSONValues.plain(key).flatMap({ keys.index(of: $0) }) else {
        let name = String(decoding: key.bytes, as: UTF8.self)
        throw scanner.error(
          .badCell, "the key \"\(name)\" is not among those of the file's sample: give it a type", column: scanner.column)
      }
      expected = index &+ 1
      let column = scanner.column
      if columns[index].count > row {
        throw scanner.error(.malformed, "the key stands twice in one object", column: column).naming(schema.fields[index].name)
      }
      if columns[index].nested != nil {
        try parseNested(&scanner, index, &columns[index])
        continue
      }
      let value = try scanner.value()
      if let problem = JSONValues.append(value, to: &columns[index], anyScalar: isInferred[index]) {
        throw hinted(scanner.error(problem, column: column), index)
      }
      if isSampled && isInferred[index] && columns[index].type == .float64, JSONValues.isNarrowed(value) {
        throw hinted(scanner.error(JSONValues.mismatch(value, .float64), column: column), index)
      }
      if wholeNumbers.contains(index), value.kind == .float, WholeNumberColumns.isRounded(value.bytes) {
        throw scanner.error(.badCell, WholeNumberColumns.problem(value.bytes), column: column).naming(schema.fields[index].name)
      }
    }
  }

  private func parseNested(_ scanner: inout JSONLineScanner, _ index: Int, _ column: inout RowColumn) throws(TextError) {
    let reader = JSONNestedReader(anyScalar: isInferred[index], isGuessed: isSampled && isInferred[index])
    do throws(TextError) {
      try reader.append(&scanner, to: &column.nested!)
    } catch {
      throw hinted(error, index)
    }
    column.noteNested()
  }

  private func hinted(_ error: TextError, _ index: Int) -> TextError {
    let named = error.naming(schema.fields[index].name)
    guard error.kind == .badCell && isSampled && isInferred[index] else { return named }
    return named.hinting("; the type was inferred from the first part of the file: give the column a type")
  }
}
