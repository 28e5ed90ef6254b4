import Columns

extension CSVReader {
  func readBatch(_ raw: UnsafeRawBufferPointer, from start: Int) throws(TextError) -> (batch: Batch?, end: Int) {
    let fieldCount = schema.fields.count
    let rowMax = min(options.batchRowCount, CSVReader.blockRowCount(fieldCount: fieldCount))
    let block = Buffer(byteCapacity: rowMax * fieldCount * MemoryLayout<CSVCell>.stride)
    defer { _fixLifetime(block) }
    let cells = block.pointer.bindMemory(to: CSVCell.self, capacity: rowMax * fieldCount)
    var scanner = CSVScanner(raw, delimiter: options.delimiter, position: start)
    var columns: [RowColumn] = []
    var rowCount = 0
    while rowCount < options.batchRowCount {
      let blockStart = scanner.position
      let rows = try scanner.scanBlock(cells, fieldCount: fieldCount, rowMax: min(rowMax, options.batchRowCount - rowCount))
      if rows == 0 { break }
      if columns.isEmpty {
        // A file that ends within the first block needs no more room than its rows.
        let capacity = scanner.position == raw.count ? rows : options.batchRowCount
        columns = schema.fields.map { RowColumn($0.type, capacity: capacity) }
      }
      let isASCII = CSVReader.isASCII(UnsafeRawBufferPointer(rebasing: raw[blockStart..<scanner.position]))
      for index in columns.indices {
        let cells = CSVColumnCells(raw: raw, cells: cells + index, stride: fieldCount, count: rows, isASCII: isASCII)
        if let row = cells.append(to: &columns[index]) { throw failure(cells, row, index, raw) }
      }
      rowCount += rows
    }
    if rowCount == 0 { return (nil, scanner.position) }
    return (Batch(schema: schema, columns: columns.map { $0.finish() }, rowCount: rowCount), scanner.position)
  }

  private func failure(_ cells: CSVColumnCells, _ row: Int, _ index: Int, _ raw: UnsafeRawBufferPointer) -> TextError {
    let field = schema.fields[index]
    let line = TextError.line(at: cells[row].start, of: raw)
    if field.type == .string {
      return TextError(.malformed, line: line, column: index + 1, fieldName: field.name, "the text is not valid UTF-8")
    }
    let found = TextError.quoted(cells.bytes(cells[row]))
    return TextError(.badCell, line: line, column: index + 1, fieldName: field.name, "expected \(field.type), found \(found)")
  }

  /// Whether no byte has its high bit set.
  static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var bits: UInt64 = 0
    var index = 0
    while index &+ 8 <= bytes.count {
      bits |= bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      index &+= 8
    }
    while index < bytes.count {
      bits |= UInt64(bytes[index])
      index &+= 1
    }
    return bits & 0x8080_8080_8080_8080 == 0
  }
}

/// The cells of one column in a block.
struct CSVColumnCells {
  // SAFETY: a view that lives inside the call which holds the file's bytes and the block of cells.
  let raw: UnsafeRawBufferPointer
  let cells: UnsafeMutablePointer<CSVCell>
  let stride: Int
  let count: Int
  let isASCII: Bool

  @inline(__always) subscript(row: Int) -> CSVCell { cells[row &* stride] }

  @inline(__always) func bytes(_ cell: CSVCell) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: raw.baseAddress.unsafelyUnwrapped + cell.start, count: cell.length)
  }

  /// Converts all cells to the column's type.
  /// - Returns: the row of the first cell that has not the type; nil when all have.
  func append(to column: inout RowColumn) -> Int? {
    switch column.type {
    case .bool:
      return convert(&column) {
        NumberText.parseBool($0) ?? bit($0)
      } append: {
        $0.append(bool: $1)
      }
    case .int8: return integers(&column, Int8.self)
    case .int16: return integers(&column, Int16.self)
    case .int32: return integers(&column, Int32.self)
    case .int64:
      return convert(&column) {
        NumberText.parseInt64($0)
      } append: {
        $0.append($1)
      }
    case .uint8: return unsigned(&column, UInt8.self)
    case .uint16: return unsigned(&column, UInt16.self)
    case .uint32: return unsigned(&column, UInt32.self)
    case .uint64: return unsigned(&column, UInt64.self)
    case .float32:
      return convert(&column) {
        NumberText.parseFloat($0)
      } append: {
        $0.append($1)
      }
    case .float64:
      return convert(&column) {
        NumberText.parseDouble($0)
      } append: {
        $0.append($1)
      }
    case .decimal(let precision, let scale):
      return convert(&column) {
        NumberText.parseDecimal($0, precision: precision, scale: scale)
      } append: {
        $0.append($1)
      }
    case .date:
      return convert(&column) {
        CivilTime.parseDate($0)
      } append: {
        $0.append($1)
      }
    case .timestamp(let unit, _):
      return convert(&column) {
        CivilTime.parse($0)?.ticks(unit)
      } append: {
        $0.append($1)
      }
    case .string: return strings(&column)
    case .binary: return binary(&column)
    }
  }

  private func bit(_ bytes: UnsafeRawBufferPointer) -> Bool? {
    guard bytes.count == 1 else { return nil }
    return bytes[0] == UInt8(ascii: "1") ? true : bytes[0] == UInt8(ascii: "0") ? false : nil
  }

  private func integers<Value: FixedWidthInteger & BitwiseCopyable>(_ column: inout RowColumn, _: Value.Type) -> Int? {
    convert(&column) {
      NumberText.parseInt64($0).flatMap { Value(exactly: $0) }
    } append: {
      $0.append($1)
    }
  }

  private func unsigned<Value: FixedWidthInteger & BitwiseCopyable>(_ column: inout RowColumn, _: Value.Type) -> Int? {
    convert(&column) {
      NumberText.parseUInt64($0).flatMap { Value(exactly: $0) }
    } append: {
      $0.append($1)
    }
  }

  @inline(__always) private func convert<Value>(
    _ column: inout RowColumn, _ parse: (UnsafeRawBufferPointer) -> Value?, append: (inout RowColumn, Value) -> Void
  ) -> Int? {
    for row in 0..<count {
      let cell = self[row]
      if cell.length == 0 {
        column.appendNull()
      } else if let value = parse(bytes(cell)) {
        append(&column, value)
      } else {
        return row
      }
    }
    return nil
  }

  private func strings(_ column: inout RowColumn) -> Int? {
    for row in 0..<count {
      let cell = self[row]
      if cell.length == 0 && !cell.isQuoted {
        column.appendNull()
        continue
      }
      let text = bytes(cell)
      if !isASCII && !CSVReader.isASCII(text) && String(validating: text, as: UTF8.self) == nil { return row }
      if cell.hasEscapes {
        CSVReader.unescaped(text).withUnsafeBytes { column.append(bytes: $0) }
      } else {
        column.append(bytes: text)
      }
    }
    return nil
  }

  private func binary(_ column: inout RowColumn) -> Int? {
    for row in 0..<count {
      let cell = self[row]
      if cell.length == 0 && !cell.isQuoted {
        column.appendNull()
      } else if let decoded = Base64.decode(bytes(cell)) {
        decoded.withUnsafeBytes { column.append(bytes: $0) }
      } else {
        return row
      }
    }
    return nil
  }
}
