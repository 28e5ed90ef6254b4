import Columns

/// Reads the lines of a chunk into batches.
struct JSONChunkParser: Sendable {
  let schema: Schema
  let keys: JSONKeys
  let isInferred: [Bool]
  let batchRowCount: Int
  /// Whether types were inferred from a part of the file only.
  let isSampled: Bool

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
    var row = 0
    while row < rowCountMax, let (range, line) = place.nextLine(raw) {
      var scanner = JSONLineScanner(raw, start: range.lowerBound, end: range.upperBound, line: line)
      guard try scanner.begin() else { continue }
      try parseMembers(&scanner, row, &columns)
      try scanner.finish()
      row += 1
      for index in columns.indices where columns[index].count < row { columns[index].appendNull() }
    }
    return Batch(schema: schema, columns: columns.map { $0.finish() }, rowCount: row)
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
    }
  }

  private func parseNested(_ scanner: inout JSONLineScanner, _ index: Int, _ column: inout RowColumn) throws(TextError) {
    let reader = JSONNestedReader(anyScalar: isInferred[index])
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
