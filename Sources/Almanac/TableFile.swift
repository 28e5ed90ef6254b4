import Arrow
import Columns
import Foundation
import Parquet
import TextFormats

/// How a text file is to be read where its name and first line do not say.
package struct TableFileOptions: Hashable, Sendable {
  package var delimiter: UInt8?
  package var hasHeader = true
  /// Unquoted fields that mean null beside the empty one.
  package var nullTokens: [String] = []
  /// See `CSVOptions.wholeNumberColumns`; also for JSON Lines.
  package var wholeNumberColumns: Set<String> = []
  /// Whether rows of JSON Lines say which keys they lack (`JSONLinesOptions.marksAbsentKeys`).
  package var marksAbsentKeys = false

  package init() {}
}

/// A table in a file, read a batch at a time.
package final class TableFile {
  package let name: String
  private let path: String
  package let format: FileFormat
  private enum Source {
    case parquet(ParquetScan)
    case rowGroups(ParquetReader, columns: [Int]?, next: Int)
    case arrow(ArrowReader)
    case csv(CSVReader)
    case jsonLines(JSONLinesReader)
  }
  private var source: Source
  private let bytes: BufferSlice
  package let schema: Schema
  /// All columns of the file, whichever are wanted.
  package let fileSchema: Schema
  /// The rows that the file claims; nil for formats that do not say.
  package let rowCount: Int?
  private var decodedByteCount = 0
  /// The names of the columns wanted, where the reader gives all.
  private let selected: [String]?

  /// - Parameters:
  ///   - path: a file, or `-` for standard input.
  ///   - types: the types wanted of text columns, by name; Parquet and Arrow bring their own.
  ///   - columns: the columns to read, in this order; nil means all. Text is parsed whole all the same.
  ///   - wholeRowGroups: a batch of Parquet is a row group, decoded with all threads, for callers that keep all rows anyway.
  package init(
    path: String, types: Schema? = nil, columns: [String]? = nil, wholeRowGroups: Bool = false,
    options: TableFileOptions = TableFileOptions()
  ) throws(AlmanacError) {
    name = path == "-" ? "standard input" : path
    self.path = path
    let bytes = try InputBytes.open(path)
    self.bytes = bytes
    let format = path == "-" ? FileFormat(sniffing: bytes) : FileFormat(path: path) ?? FileFormat(sniffing: bytes)
    self.format = format
    let opened = try Self.reading(bytes, name, "Cannot read \(name)") { () -> (Source, Schema, Int?) in
      switch format {
      case .parquet:
        var reader = try ParquetReader(bytes: bytes)
        if try reader.hasInt96BeyondNanoseconds() { reader = try ParquetReader(bytes: bytes, hasMicrosecondInt96: true) }
        let indices = try columns.map { try Self.indices(of: $0, in: reader.schema) }
        let source =
          wholeRowGroups
          ? Source.rowGroups(reader, columns: indices, next: 0) : .parquet(ParquetScan(reader, columns: indices, threads: Self.threadCount))
        return (source, reader.schema, reader.rowCount)
      case .arrow, .arrowStream:
        // Others may write to a mapped file: columns that point into it would change after they were checked.
        let reader = try ArrowReader(bytes: bytes, ownsColumns: InputBytes.isMapped(bytes))
        return (.arrow(reader), reader.schema, nil)
      case .csv:
        var reading = CSVOptions(types: types)
        reading.delimiter = options.delimiter ?? FileFormat.delimiter(path: path)
        reading.nullTokens = options.nullTokens
        reading.hasHeader = options.hasHeader
        reading.wholeNumberColumns = options.wholeNumberColumns
        let reader = try CSVReader(bytes: bytes, options: reading)
        return (.csv(reader), reader.schema, nil)
      case .jsonl:
        var reading = JSONLinesOptions(types: types)
        reading.wholeNumberColumns = options.wholeNumberColumns
        reading.marksAbsentKeys = options.marksAbsentKeys
        let reader = try JSONLinesReader(bytes: bytes, options: reading)
        return (.jsonLines(reader), reader.schema, nil)
      }
    }
    (source, rowCount) = (opened.0, opened.2)
    let whole = opened.1
    fileSchema = whole
    schema = try AlmanacError.translating("Cannot read \(name)") {
      guard let columns else { return whole }
      return Schema(try Self.indices(of: columns, in: whole).map { whole.fields[$0] })
    }
    selected = format == .parquet ? nil : columns
  }

  /// - Throws: `AlmanacError` of kind `.failed`
  static func indices(of names: [String], in schema: Schema) throws -> [Int] {
    try names.map { name in
      guard let index = schema.index(of: name) else {
        throw AlmanacError(
          .failed, "There is no column \(name)", hint: "Its columns: \(schema.fields.map(\.name).joined(separator: ", ")).")
      }
      return index
    }
  }

  /// Columns of a batch that are decoded at a time.
  private static let threadCount = ProcessInfo.processInfo.activeProcessorCount

  /// After this many decoded bytes the pages of the file that were read so far are given back: a mapped file counts as the
  /// process's memory while its pages are resident.
  private static let decodedByteCountMax = 32 << 20

  /// The next rows, nil at the end; a few megabytes at a time.
  package func next() throws(AlmanacError) -> Batch? {
    let batch = try reading("Cannot read \(name)") { () -> Batch? in
      switch source {
      case .parquet(var scan):
        defer { source = .parquet(scan) }
        return try scan.next()
      case .rowGroups(let reader, let columns, let next):
        guard next < reader.rowGroupCount else { return nil }
        source = .rowGroups(reader, columns: columns, next: next + 1)
        return try reader.read(rowGroup: next, columns: columns, threads: Self.threadCount)
      case .arrow(var reader):
        defer { source = .arrow(reader) }
        return try reader.next()
      case .csv(var reader):
        defer { source = .csv(reader) }
        return try reader.next()
      case .jsonLines(var reader):
        defer { source = .jsonLines(reader) }
        return try reader.next()
      }
    }
    decodedByteCount += batch?.byteCount ?? 0
    if decodedByteCount > Self.decodedByteCountMax {
      decodedByteCount = 0
      InputBytes.releasePages(of: bytes)
    }
    return selected.flatMap { batch?.selecting($0) } ?? batch
  }

  package var byteCount: Int { bytes.byteCount }

  /// Computed from now on, beside the reading of rows.
  func digest() -> InputDigest { InputDigest(of: bytes, from: path) }

  /// Runs `body`, which reads of the file. That others wrote to it meanwhile is then the error, whatever came of it.
  func reading<Result>(_ context: String, _ body: () throws -> Result) throws(AlmanacError) -> Result {
    try Self.reading(bytes, name, context, body)
  }

  private static func reading<Result>(
    _ bytes: BufferSlice, _ name: String, _ context: String, _ body: () throws -> Result
  ) throws(AlmanacError) -> Result {
    try InputBytes.reading(bytes, name) { () throws(AlmanacError) in try AlmanacError.translating(context, body) }
  }

  /// The reader beneath, for those who ask for more than rows; nil for formats other than Parquet.
  var parquetReader: ParquetReader? {
    switch source {
    case .parquet(let scan): scan.reader
    case .rowGroups(let reader, _, _): reader
    default: nil
    }
  }

  /// The character between the fields of CSV, given or recognised; nil for other formats.
  var delimiter: UInt8? { if case .csv(let reader) = source { reader.delimiter } else { nil } }

  /// All rows at once.
  package func readAll() throws(AlmanacError) -> Batch {
    var batches: [Batch] = []
    while let batch = try next() { batches.append(batch) }
    if batches.isEmpty { return Batch.empty(schema) }
    return batches.count == 1 ? batches[0] : Batch.concatenate(batches)
  }
}
