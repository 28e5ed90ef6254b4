import Columns
import Glibc
import Parquet
import TextFormats

/// Writes a table to a file as batches come. The file appears under its name only when it is complete.
package final class TableOutput {
  package let path: String
  private let temporaryPath: String
  private let descriptor: Int32
  private enum Sink {
    case parquet(ParquetWriter)
    case csv(CSVWriter)
    case jsonLines(JSONLinesWriter)
  }
  private var sink: Sink
  private var isFinished = false

  package init(path: String, schema: Schema, codec: String? = nil) throws(AlmanacError) {
    guard let format = path == "-" ? .csv : FileFormat(path: path) else {
      throw AlmanacError(
        .usage, "Cannot write \(path): its name does not end in .parquet, .csv, .tsv or .jsonl",
        hint: "Give the output file one of these endings.")
    }
    if codec != nil && format != .parquet {
      throw AlmanacError(.usage, "Cannot write \(path) with a codec: only Parquet files have one")
    }
    self.path = path
    switch format {
    case .parquet:
      var options = ParquetWriterOptions.export
      if let codec { options.codec = try Self.codec(named: codec) }
      sink = .parquet(ParquetWriter(schema: schema, options: options))
    case .csv:
      let delimiter = path.lowercased().hasSuffix(".tsv") ? UInt8(ascii: "\t") : UInt8(ascii: ",")
      sink = .csv(CSVWriter(schema: schema, delimiter: delimiter))
    case .jsonl: sink = .jsonLines(JSONLinesWriter(schema: schema))
    }
    if path == "-" {
      temporaryPath = path
      descriptor = STDOUT_FILENO
    } else {
      temporaryPath = "\(path).partial-\(getpid())"
      descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw Self.failure("create", path, errno) }
    }
  }

  deinit {
    if !isFinished && path != "-" {
      close(descriptor)
      unlink(temporaryPath)
    }
  }

  /// Text is made of slices of this many rows, so that memory follows the slice and not the batch.
  private static let sliceRowCount = 1 << 16

  package func write(_ batch: Batch) throws(AlmanacError) {
    try AlmanacError.translating {
      if case .parquet = sink { return try writeSlice(batch) }
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
    try AlmanacError.translating {
      switch sink {
      case .parquet(var writer): try writer.finish { try put($0) }
      case .csv(var writer):
        var bytes: [UInt8] = []
        writer.finish(to: &bytes)
        try bytes.withUnsafeBytes { try put($0) }
      case .jsonLines: break
      }
    }
    isFinished = true
    guard path != "-" else { return }
    guard close(descriptor) == 0, rename(temporaryPath, path) == 0 else {
      let code = errno
      unlink(temporaryPath)
      throw Self.failure("write", path, code)
    }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure("write", path, errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  private static func codec(named name: String) throws(AlmanacError) -> ParquetCodec {
    switch name {
    case "none": return .none
    case "snappy": return .snappy
    case "gzip": return .gzip
    case "lz4": return .lz4Raw
    case "zstd": return .zstd(level: 1)
    default: throw AlmanacError(.usage, "Unknown codec \(name): expected none, snappy, gzip, lz4 or zstd")
    }
  }

  private static func failure(_ action: String, _ path: String, _ code: Int32) -> AlmanacError {
    AlmanacError(code == ENOENT ? .notFound : .io, "Cannot \(action) \(path): \(String(cString: strerror(code)))")
  }
}

/// `almanac convert`: any readable file to any writable one, a batch at a time.
package enum Conversion {
  package struct Report: Sendable {
    package let rowCount: Int
    package let columnCount: Int
  }

  package static func run(from input: String, to output: String, codec: String? = nil) throws(AlmanacError) -> Report {
    let file = try TableFile(path: input)
    let target = try TableOutput(path: output, schema: file.schema, codec: codec)
    var rowCount = 0
    while let batch = try file.next() {
      try target.write(batch)
      rowCount += batch.rowCount
    }
    try target.finish()
    return Report(rowCount: rowCount, columnCount: file.schema.fields.count)
  }
}
