import Columns

/// Reads CSV (RFC 4180) a batch at a time, on all processors.
///
/// - Lines end with LF or CRLF; in a file whose first line ends with CR alone, with CR or CRLF. Fields in quotes may hold line
///   ends, delimiters and doubled quotes. A UTF-8 byte order mark is skipped, UTF-16 refused, as are two columns of one name
///   and rows with more or fewer fields than the header. Blank lines are skipped, except in files of one column, where they
///   are nulls.
/// - An empty field without quotes is null, `""` the empty string; in columns that are neither strings nor binary both are
///   null. `CSVOptions.nullTokens` names further nulls.
/// - Types that are not given are inferred from the first `sampleByteCount` bytes, so that no value of them is narrowed:
///   int64 widens to float64 where every integer is a double, whatever does not fit together is a string, as are integers
///   beyond 64 bits, whole numbers with a point that are no double, numbers beyond the doubles and those with leading zeros. A value further on that the inferred type cannot hold is an error that
///   names its place; a sample as long as the file excludes it.
/// - Dates and times are ISO 8601, with offsets turned to UTC; lists, maps and structures, where the options name them, are JSON
///   text in one field, durations a number of ticks.
///
/// Memory follows the round of chunks that is parsed in parallel; the bytes may be a mapped file, whose pages before
/// `consumedByteCount` are not needed any more.
package struct CSVReader {
  package let schema: Schema
  private let parser: CSVChunkParser
  private var chunks: CSVChunks
  private var parsed: ParsedChunks

  /// - Throws: `TextError` of kind `malformed` when there is no header or, where types are inferred, in the sample; `ambiguous` where
  ///   the delimiter is not given and records do not tell it.
  /// - Complexity: O(sample) where types are inferred, else O(header)
  package init(bytes: BufferSlice, options: CSVOptions = CSVOptions()) throws(TextError) {
    let header = try CSVHeader(bytes, options)
    chunks = CSVChunks(bytes, header.form, position: header.end, options: options)
    var fields = header.names.map { name in Field(name, options.types?[name]?.type ?? .string) }
    let unknown = header.names.map { options.types?[$0] == nil }
    let nullTokens = NullTokens(options.nullTokens)
    if unknown.contains(true) {
      let survey = CSVSurvey(
        form: header.form, isWanted: unknown, isName: header.names.map(options.wholeNumberColumns.contains), nullTokens: nullTokens)
      let types = try survey.types(chunks, sampleByteCount: options.sampleByteCount)
      for index in fields.indices where unknown[index] { fields[index].type = types[index] }
    }
    schema = Schema(fields)
    parser = CSVChunkParser(
      schema: schema, form: header.form, nullTokens: nullTokens,
      wholeNumbers: WholeNumberColumns(schema, unknown, options.wholeNumberColumns), batchRowCount: options.batchRowCount,
      isGuessed: bytes.byteCount - header.end > options.sampleByteCount ? unknown : unknown.map { _ in false })
    parsed = ParsedChunks(consumedByteCount: header.end)
  }

  /// The byte that separates fields, given or found.
  package var delimiter: UInt8 { chunks.form.delimiter }

  /// Bytes of the file before this place are not needed any more: their rows have been handed out.
  package var consumedByteCount: Int { parsed.consumedByteCount }

  /// The next rows; nil at the end.
  /// - Throws: `TextError`; the reader must not be used any more then.
  package mutating func next() throws(TextError) -> Batch? {
    while true {
      if let batch = try parsed.pop() { return batch }
      var round: [TextChunk] = []
      while round.count < ParsedChunks.roundChunkCount, let chunk = try chunks.next() { round.append(chunk) }
      if round.isEmpty { return nil }
      let (parser, chunks) = (self.parser, self.chunks)
      parsed.fill(round) { chunk in
        do throws(TextError) {
          return .success(try parser.parse(chunk))
        } catch {
          return .failure(chunks.failure(error, chunk.offset))
        }
      }
    }
  }
}

/// Reads the records of a chunk into batches.
struct CSVChunkParser: Sendable {
  let schema: Schema
  let form: CSVForm
  let nullTokens: NullTokens
  let wholeNumbers: WholeNumberColumns
  let batchRowCount: Int
  /// Columns whose type was inferred from a part of the file only.
  let isGuessed: [Bool]

  /// - Throws: `TextError` with lines counted from the chunk's start.
  func parse(_ chunk: TextChunk) throws(TextError) -> [Batch] {
    try chunk.bytes.withBytes { (raw) throws(TextError) in
      let fieldCount = schema.fields.count
      let block = CSVBlock(fieldCount: fieldCount, rowMax: batchRowCount)
      var tokenizer = CSVTokenizer(raw, form, fieldCount: fieldCount)
      // Every record ends with a line end, but for the last one of a file.
      var rowCountLeft = TextError.lineCount(before: raw.count, of: raw, lineEnd: form.lineEnd) + 1
      var batches: [Batch] = []
      while true {
        let batch = try parseBatch(raw, &tokenizer, block, capacity: min(batchRowCount, rowCountLeft))
        guard let batch else { return batches }
        batches.append(batch)
        rowCountLeft -= batch.rowCount
      }
    }
  }

  private func parseBatch(
    _ raw: UnsafeRawBufferPointer, _ tokenizer: inout CSVTokenizer, _ block: CSVBlock, capacity: Int
  ) throws(TextError) -> Batch? {
    var columns: [RowColumn] = []
    var rowCount = 0
    while rowCount < capacity {
      let start = tokenizer.position
      let rows = try tokenizer.scan(block.cells, rowMax: min(block.rowMax, capacity - rowCount))
      if rows == 0 { break }
      if columns.isEmpty { columns = schema.fields.map { RowColumn($0.type, capacity: capacity) } }
      let isASCII = UTF8Text.isASCII(UnsafeRawBufferPointer(rebasing: raw[start..<tokenizer.position]))
      for index in columns.indices {
        let cells = block.column(index, of: raw, rowCount: rows, isASCII: isASCII, nullTokens: nullTokens)
        if let row = cells.append(to: &columns[index], isGuessed: isGuessed[index]) { throw failure(cells, row, index, raw) }
        if wholeNumbers.contains(index) { try checkWhole(cells, index, raw) }
      }
      rowCount += rows
    }
    if rowCount == 0 { return nil }
    return Batch(schema: schema, columns: columns.map { $0.finish() }, rowCount: rowCount)
  }

  private func checkWhole(_ cells: CSVColumnCells, _ index: Int, _ raw: UnsafeRawBufferPointer) throws(TextError) {
    for row in 0..<cells.count {
      guard let (start, length, _) = cells.text(row) else { continue }
      let text = UnsafeRawBufferPointer(start: start, count: length)
      guard WholeNumberColumns.isRounded(text) else { continue }
      let line = TextError.lineCount(before: start - raw.baseAddress!, of: raw, lineEnd: form.lineEnd) + 1
      throw TextError(
        .badCell, line: line, column: index + 1, fieldName: schema.fields[index].name, WholeNumberColumns.problem(text))
    }
  }

  private func failure(_ cells: CSVColumnCells, _ row: Int, _ index: Int, _ raw: UnsafeRawBufferPointer) -> TextError {
    let field = schema.fields[index]
    let (start, _) = cells.raw(row)
    let line = TextError.lineCount(before: start - raw.baseAddress!, of: raw, lineEnd: form.lineEnd) + 1
    if field.type == .string {
      return TextError(.malformed, line: line, column: index + 1, fieldName: field.name, "the text is not valid UTF-8")
    }
    let text = cells.text(row).map { UnsafeRawBufferPointer(start: $0.start, count: $0.length) } ?? cells.rawBytes(row)
    let error = TextError(
      .badCell, line: line, column: index + 1, fieldName: field.name, "expected \(field.type), found \(TextError.quoted(text))")
    return isGuessed[index] ? error.hinting("; the type was inferred from the first part of the file: give the column a type") : error
  }
}

/// The cells of a block of records, reused for the next one.
struct CSVBlock {
  private let buffer: Buffer
  let rowMax: Int
  private let stride: Int

  /// The cells of a block, and the text they name, fit a second-level cache.
  private static let cellCount = 16 << 10

  init(fieldCount: Int, rowMax: Int) {
    stride = fieldCount + 1
    self.rowMax = min(rowMax, max(1, CSVBlock.cellCount / stride))
    buffer = Buffer(byteCapacity: self.rowMax * stride * MemoryLayout<UInt32>.stride)
  }

  /// As many as `rowMax` records have.
  var cells: UnsafeMutablePointer<UInt32> { buffer.pointer.assumingMemoryBound(to: UInt32.self) }

  func column(_ index: Int, of raw: UnsafeRawBufferPointer, rowCount: Int, isASCII: Bool, nullTokens: NullTokens) -> CSVColumnCells {
    // Any address will do for no bytes, as then there are no fields with any.
    CSVColumnCells(
      base: raw.baseAddress ?? UnsafeRawPointer(buffer.pointer), cells: UnsafePointer(cells + index), stride: stride, count: rowCount,
      isASCII: isASCII, nullTokens: nullTokens)
  }
}
