import Arrow
import Columns
import Foundation
import Parquet
import TextFormats

/// Writes a table to a file as batches come. The file appears under its name only when it is complete; what is no file (standard
/// output, pipes, devices) is written as it comes.
package final class TableOutput {
  package let path: String
  private let place: OutputPlace
  private enum Sink {
    case parquet(ParquetWriter)
    case arrow(ArrowWriter)
    case csv(CSVWriter)
    case jsonLines(JSONLinesWriter)
  }
  private var sink: Sink
  private var isFinished = false

  /// - Parameters:
  ///   - path: a file whose ending names its format, or `-` for standard output.
  ///   - format: the format, if not that of the file's name; standard output is CSV by default.
  ///   - codec: for Parquet none, snappy, gzip, brotli, lz4 or zstd; for Arrow none, lz4 or zstd.
  ///   - bloomFilterColumns: columns of a Parquet file that get a Bloom filter.
  ///   - delimiter: the character between the fields of CSV; nil for that of the file's name, or a comma.
  package init(
    path: String, schema: Schema, format: FileFormat? = nil, codec: String? = nil, bloomFilterColumns: [String] = [],
    delimiter: UInt8? = nil
  ) throws(AlmanacError) {
    guard let format = format ?? (Self.isStandardOutput(path) ? .csv : FileFormat(path: path)) else {
      throw AlmanacError(
        .usage, "Cannot write \(path): its name does not end in .parquet, .arrow, .arrows, .csv, .tsv or .jsonl",
        hint: "Give the output file one of these endings, or name its format with --format.")
    }
    self.path = path
    if delimiter != nil && format != .csv { throw AlmanacError(.usage, "Cannot write \(path) with a delimiter: only CSV files have one") }
    for name in bloomFilterColumns {
      guard format == .parquet else { throw AlmanacError(.usage, "Cannot write \(path) with Bloom filters: only Parquet files have them") }
      guard let field = schema[name], !field.type.isNested, field.type != .bool else {
        throw AlmanacError(.failed, "Cannot write a Bloom filter of \(name): it is no column of the file, or nested, or bool")
      }
    }
    switch format {
    case .parquet:
      var options = ParquetWriterOptions.export
      if let codec { options.codec = try Self.parquetCodec(named: codec) }
      options.bloomFilterColumns = Set(bloomFilterColumns)
      options.threadCount = ProcessInfo.processInfo.activeProcessorCount
      if schema.fields.contains(where: { $0.type.isKnownToArrowAlone }) {
        // Parquet has no durations, and of zones only UTC.
        options.keyValueMetadata["ARROW:schema"] = Data(ArrowWriter.schemaMessage(schema)).base64EncodedString()
      }
      sink = .parquet(ParquetWriter(schema: schema, options: options))
    case .arrow, .arrowStream:
      var options = ArrowWriterOptions(format: format == .arrow ? .file : .stream)
      if let codec { options.codec = try Self.arrowCodec(named: codec) }
      sink = .arrow(ArrowWriter(schema: schema, options: options))
    case .csv, .jsonl:
      if codec != nil { throw AlmanacError(.usage, "Cannot write \(path) with a codec: only Parquet and Arrow files have one") }
      if format == .csv {
        sink = .csv(CSVWriter(schema: schema, delimiter: delimiter ?? FileFormat.delimiter(path: path) ?? UInt8(ascii: ",")))
      } else {
        sink = .jsonLines(JSONLinesWriter(schema: schema))
      }
    }
    place = try OutputPlace(path: path)
  }

  /// Whether rows go to standard output, so that nothing else must.
  package static func isStandardOutput(_ path: String) -> Bool { OutputPlace.isStandardOutput(path) }

  deinit { if !isFinished { place.abandon() } }

  /// Text is made of slices of this many rows, so that memory follows the slice and not the batch.
  private static let sliceRowCount = 1 << 16

  /// - Throws: `AlmanacError`: `.failed` for types that the format does not have, `.io` where bytes cannot be written.
  package func write(_ batch: Batch) throws(AlmanacError) {
    try Self.translating {
      switch sink {
      case .parquet, .arrow: return try writeSlice(batch)
      case .csv, .jsonLines: break
      }
      for start in stride(from: 0, to: batch.rowCount, by: Self.sliceRowCount) {
        try writeSlice(batch.slice(from: start, count: min(Self.sliceRowCount, batch.rowCount - start)))
      }
    }
  }

  private func writeSlice(_ batch: Batch) throws {
    switch sink {
    case .parquet(var writer):
      try writer.write(batch) { try put($0) }
      sink = .parquet(writer)
    case .arrow(var writer):
      try writer.write(batch) { try put($0) }
      sink = .arrow(writer)
    case .csv(var writer):
      var bytes: [UInt8] = []
      writer.write(batch, to: &bytes)
      try bytes.withUnsafeBytes { try put($0) }
      sink = .csv(writer)
    case .jsonLines(var writer):
      var bytes: [UInt8] = []
      writer.write(batch, to: &bytes)
      try bytes.withUnsafeBytes { try put($0) }
      sink = .jsonLines(writer)
    }
  }

  /// Completes the file and gives it its name.
  package func finish() throws(AlmanacError) {
    try Self.translating {
      switch sink {
      case .parquet(var writer): try writer.finish { try put($0) }
      case .arrow(var writer): try writer.finish { try put($0) }
      case .csv(var writer):
        var bytes: [UInt8] = []
        writer.finish(to: &bytes)
        try bytes.withUnsafeBytes { try put($0) }
      case .jsonLines: break
      }
    }
    isFinished = true
    try place.complete()
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws { try place.put(bytes) }

  /// What a format has no form for is a failure of the request, not damage.
  private static func translating(_ body: () throws -> Void) throws(AlmanacError) {
    try AlmanacError.translating {
      do {
        try body()
      } catch {
        guard let error = error as? ParquetError, error.kind == .unsupported else { throw error }
        throw AlmanacError(.failed, error.description)
      }
    }
  }

  private static func parquetCodec(named name: String) throws(AlmanacError) -> ParquetCodec {
    switch name {
    case "none": return .none
    case "snappy": return .snappy
    case "gzip": return .gzip
    case "brotli": return .brotli
    case "lz4": return .lz4Raw
    case "zstd": return .zstd(level: 1)
    default: throw AlmanacError(.usage, "Unknown codec \(name): expected none, snappy, gzip, brotli, lz4 or zstd")
    }
  }

  private static func arrowCodec(named name: String) throws(AlmanacError) -> ArrowCodec? {
    switch name {
    case "none": return nil
    case "lz4": return .lz4
    case "zstd": return .zstd
    case "snappy", "gzip", "brotli":
      throw AlmanacError(.usage, "Arrow files cannot be written with \(name): expected none, lz4 or zstd")
    default: throw AlmanacError(.usage, "Unknown codec \(name): expected none, lz4 or zstd")
    }
  }
}

extension DataType {
  /// Whether Parquet's own types lose something of this one that Arrow's schema keeps.
  fileprivate var isKnownToArrowAlone: Bool {
    switch self {
    case .duration: true
    case .timestamp(_, let zone): zone != nil && zone != "UTC"
    default: childFields.contains { $0.type.isKnownToArrowAlone }
    }
  }
}
