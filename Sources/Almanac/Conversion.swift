import Columns
import Features

/// `almanac convert`: any readable file to any writable one, a batch at a time.
package enum Conversion {
  package struct Request: Sendable {
    package var input: String
    package var output: String
    package var columns: [String]?
    package var codec: String?
    /// `expression [as name], …` over the columns of the input: what the output holds instead of them.
    package var selection: String?
    /// Only rows for which this expression is true.
    package var filter: String?
    /// Columns that get a Bloom filter; only for Parquet.
    package var bloomFilterColumns: [String] = []
    /// The output's format, if not that of its name.
    package var format: FileFormat?
    /// The types wanted of columns of text, by name.
    package var types: Schema?
    package var reading = TableFileOptions()
    /// The character between the fields of a CSV output, if not that of its name.
    package var outputDelimiter: UInt8?

    package init(input: String, output: String) {
      self.input = input
      self.output = output
    }
  }

  package struct Report: Sendable {
    package let rowCount: Int
    package let columnCount: Int
  }

  package static func run(from input: String, to output: String, codec: String? = nil) throws(AlmanacError) -> Report {
    var request = Request(input: input, output: output)
    request.codec = codec
    return try run(request)
  }

  /// - Complexity: O(file); memory follows the batch, and for Parquet the row group written.
  package static func run(_ request: Request, progress: ProgressHandler? = nil) throws(AlmanacError) -> Report {
    try OutputClash.check([request.output], [(request.input, "the input")])
    let file = try TableFile(path: request.input, types: request.types, columns: request.columns, options: request.reading)
    try check(request, file)
    if request.selection != nil || request.filter != nil { return try compute(request, file, progress) }
    let target = try TableOutput(
      path: request.output, schema: file.schema, format: request.format, codec: request.codec,
      bloomFilterColumns: request.bloomFilterColumns, delimiter: request.outputDelimiter)
    var rowCount = 0
    while let batch = try file.next() {
      try target.write(batch)
      rowCount += batch.rowCount
      progress?("converting", rowCount, file.rowCount ?? 0)
    }
    try target.finish()
    return Report(rowCount: rowCount, columnCount: file.schema.fields.count)
  }

  /// As `run`, with expressions between reading and writing.
  private static func compute(_ request: Request, _ file: TableFile, _ progress: ProgressHandler?) throws(AlmanacError) -> Report {
    guard request.columns == nil || request.selection == nil else {
      throw AlmanacError(.usage, "--columns and --select exclude each other: name the columns in --select")
    }
    let filter: Predicate? = if let text = request.filter { try Predicate(text, schema: file.schema) } else { nil }
    var selection: [(name: String, expression: CompiledExpression)]?
    if let text = request.selection {
      selection = try AlmanacError.translating { try compileSelection(text, schema: file.schema, context: "--select") }
    }
    let schema = selection.map { Schema($0.map { Field($0.name, $0.expression.resultType) }) } ?? file.schema
    var source = file
    // The others need not be decoded.
    if let selection, request.input != "-", file.format != .csv, file.format != .jsonl {
      let used = Set(selection.flatMap(\.expression.columns) + (filter?.columns ?? []))
      let columns = file.schema.fields.map(\.name).filter(used.contains)
      if !columns.isEmpty { source = try TableFile(path: request.input, types: request.types, columns: columns, options: request.reading) }
    }
    let target = try TableOutput(
      path: request.output, schema: schema, format: request.format, codec: request.codec,
      bloomFilterColumns: request.bloomFilterColumns, delimiter: request.outputDelimiter)
    var rowCount = 0
    var readCount = 0
    while let batch = try source.next() {
      let firstRow = readCount
      let passing = try AlmanacError.translating { try filter?.passing(batch, firstRow: firstRow) }
      var rows = passing.map { batch.filter($0) } ?? batch
      if let selection {
        let columns = try AlmanacError.translating { [rows] in
          do throws(FeatureError) {
            var columns: [Column] = []
            for column in selection { columns.append(try column.expression.evaluate(rows)) }
            return columns
          } catch {
            // The row of the file, not of those that were left.
            var error = error
            if let row = error.row, let passing { error.row = Int(passing.setIndices[row]) }
            throw error.after(rowCount: firstRow)
          }
        }
        rows = Batch(schema: schema, columns: columns, rowCount: rows.rowCount)
      }
      try target.write(rows)
      readCount += batch.rowCount
      rowCount += rows.rowCount
      progress?("converting", readCount, source.rowCount ?? 0)
    }
    try target.finish()
    return Report(rowCount: rowCount, columnCount: schema.fields.count)
  }

  /// What a request asks of the input, and the input cannot do, is an error rather than ignored.
  private static func check(_ request: Request, _ file: TableFile) throws(AlmanacError) {
    if request.reading != TableFileOptions() && file.format != .csv {
      throw AlmanacError(
        .usage, "Cannot read \(file.name) with a delimiter, null tokens or without a header: it is \(file.format.rawValue), not CSV")
    }
    guard let types = request.types else { return }
    guard file.format == .csv || file.format == .jsonl else {
      throw AlmanacError(.usage, "Cannot read \(file.name) with other types: it is \(file.format.rawValue) and has its own")
    }
    _ = try AlmanacError.translating("Cannot read \(file.name)") {
      try TableFile.indices(of: types.fields.map(\.name), in: file.fileSchema)
    }
  }
}
