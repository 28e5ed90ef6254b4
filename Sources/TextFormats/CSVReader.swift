import Columns

package struct CSVOptions: Sendable {
  /// The types wanted of columns, by name; columns that it does not name are inferred.
  package var types: Schema?
  package var delimiter: UInt8
  /// Whether the first record holds names; otherwise columns are called `column_1`, `column_2`, ...
  package var hasHeader: Bool
  package var batchRowCount: Int

  package init(
    types: Schema? = nil, delimiter: UInt8 = UInt8(ascii: ","), hasHeader: Bool = true, batchRowCount: Int = 64 << 10
  ) {
    self.types = types
    self.delimiter = delimiter
    self.hasHeader = hasHeader
    self.batchRowCount = max(1, batchRowCount)
  }
}

/// Reads CSV (RFC 4180) a batch at a time.
///
/// An empty field without quotes is null, `""` the empty string; in columns that are neither strings nor binary both are
/// null. Types that are not given are inferred from the whole file in a pass of its own, so that no later value is narrowed:
/// int64 widens to float64, whatever does not fit together is a string. Blank lines are skipped, except in files of one
/// column, where they are nulls.
///
/// Memory follows the batch; the bytes may be a mapped file.
package struct CSVReader {
  package let schema: Schema
  let bytes: BufferSlice
  let options: CSVOptions
  private var position: Int

  /// - Throws: `TextError` of kind `malformed` when there is no header or, where types are inferred, anywhere in the file.
  /// - Complexity: O(bytes) where types are inferred, else O(header)
  package init(bytes: BufferSlice, options: CSVOptions = CSVOptions()) throws(TextError) {
    self.bytes = bytes
    self.options = options
    let (names, start) = try bytes.withBytes { (raw) throws(TextError) in try CSVReader.header(raw, options) }
    position = start
    var fields = names.map { name in Field(name, options.types?[name]?.type ?? .string) }
    let unknown = names.indices.filter { options.types?[names[$0]] == nil }
    if !unknown.isEmpty {
      let types = try bytes.withBytes { (raw) throws(TextError) in
        try CSVReader.infer(raw, options, position: start, fieldCount: names.count, columns: unknown)
      }
      for (index, type) in zip(unknown, types) { fields[index].type = type }
    }
    schema = Schema(fields)
  }

  /// The next rows; nil at the end.
  /// - Throws: `TextError`; the reader must not be used any more then.
  package mutating func next() throws(TextError) -> Batch? {
    let start = position
    let (batch, end) = try bytes.withBytes { (raw) throws(TextError) in try readBatch(raw, from: start) }
    position = end
    return batch
  }

  /// Rows to a block: its cells fit a second-level cache.
  static func blockRowCount(fieldCount: Int) -> Int { max(1, (16 << 10) / max(1, fieldCount)) }

  private static func header(_ raw: UnsafeRawBufferPointer, _ options: CSVOptions) throws(TextError) -> (names: [String], start: Int) {
    let hasMark = raw.count >= 3 && raw[0] == 0xEF && raw[1] == 0xBB && raw[2] == 0xBF
    let start = hasMark ? 3 : 0
    guard start < raw.count else {
      throw TextError(.malformed, line: 1, "the file is empty: expected a header with the names of the columns")
    }
    var capacity = 256
    while true {
      let cells = Buffer(byteCapacity: capacity * MemoryLayout<CSVCell>.stride)
      let target = cells.pointer.bindMemory(to: CSVCell.self, capacity: capacity)
      var scanner = CSVScanner(raw, delimiter: options.delimiter, position: start)
      let count = try scanner.scanRecord(target, capacity: capacity)
      if count > capacity {
        capacity *= 4
        continue
      }
      if !options.hasHeader { return ((1...count).map { "column_\($0)" }, start) }
      var names: [String] = []
      for index in 0..<count { names.append(try name(target[index], index, raw)) }
      var seen: Set<String> = []
      for (index, name) in names.enumerated() where !seen.insert(name).inserted {
        throw TextError(.malformed, line: 1, column: index + 1, fieldName: name, "two columns have this name")
      }
      _fixLifetime(cells)
      return (names, scanner.position)
    }
  }

  private static func name(_ cell: CSVCell, _ index: Int, _ raw: UnsafeRawBufferPointer) throws(TextError) -> String {
    let bytes = UnsafeRawBufferPointer(rebasing: raw[cell.start..<cell.start + cell.length])
    let plain = cell.hasEscapes ? CSVReader.unescaped(bytes) : Array(bytes)
    guard let name = String(validating: plain, as: UTF8.self) else {
      throw TextError(.malformed, line: 1, column: index + 1, "the column's name is not valid UTF-8")
    }
    return name.isEmpty ? "column_\(index + 1)" : name
  }

  /// The bytes with every doubled quote halved.
  static func unescaped(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var plain: [UInt8] = []
    plain.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      plain.append(bytes[index])
      // Inside a quoted field quotes come in pairs only.
      index += bytes[index] == CSVScanner.quote ? 2 : 1
    }
    return plain
  }

  /// The narrowest types that keep every value of these columns.
  private static func infer(
    _ raw: UnsafeRawBufferPointer, _ options: CSVOptions, position: Int, fieldCount: Int, columns: [Int]
  ) throws(TextError) -> [DataType] {
    let rowMax = blockRowCount(fieldCount: fieldCount)
    let block = Buffer(byteCapacity: rowMax * fieldCount * MemoryLayout<CSVCell>.stride)
    defer { _fixLifetime(block) }
    let cells = block.pointer.bindMemory(to: CSVCell.self, capacity: rowMax * fieldCount)
    var scanner = CSVScanner(raw, delimiter: options.delimiter, position: position)
    var evidence = [ColumnEvidence](repeating: ColumnEvidence(), count: columns.count)
    while true {
      let rows = try scanner.scanBlock(cells, fieldCount: fieldCount, rowMax: rowMax)
      if rows == 0 { return evidence.map(\.type) }
      for (index, column) in columns.enumerated() where !evidence[index].isText {
        var found = evidence[index]
        for row in 0..<rows {
          let cell = cells[row &* fieldCount &+ column]
          if cell.length == 0 { continue }
          // Doubled quotes are in no number, date or bool.
          if cell.hasEscapes {
            found.kinds.insert(.text)
          } else {
            found.note(cell: UnsafeRawBufferPointer(start: scanner.base + cell.start, count: cell.length))
          }
        }
        evidence[index] = found
      }
    }
  }
}
