import Columns
import Objects
import Parquet
import TextFormats

/// The file formats that Almanac reads and writes.
package enum FileFormat: String, CaseIterable, Sendable {
  case parquet, csv, jsonl

  /// The format that a file's name says, nil when it says none.
  package init?(path: String) {
    switch path.split(separator: ".").last.map({ $0.lowercased() }) {
    case "parquet", "pq": self = .parquet
    case "csv", "tsv": self = .csv
    case "jsonl", "ndjson", "json": self = .jsonl
    default: return nil
    }
  }

  /// The format that the first bytes show: Parquet's magic, a brace for JSON Lines, else CSV.
  package init(sniffing bytes: BufferSlice) {
    self = bytes.withBytes { raw in
      if raw.starts(with: Array("PAR1".utf8)) { return .parquet }
      let first = raw.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
      return first == UInt8(ascii: "{") ? .jsonl : .csv
    }
  }
}

/// A table in a file, read a batch at a time.
package final class TableFile {
  package let name: String
  package let format: FileFormat
  private enum Source {
    case parquet(ParquetReader, nextGroup: Int)
    case csv(CSVReader)
    case jsonLines(JSONLinesReader)
  }
  private var source: Source
  package let schema: Schema

  /// - Parameters:
  ///   - path: a file, or `-` for standard input.
  ///   - types: the types wanted of text columns, by name; Parquet brings its own.
  package init(path: String, types: Schema? = nil) throws(AlmanacError) {
    name = path == "-" ? "standard input" : path
    let bytes = try InputBytes.open(path)
    let format = path == "-" ? FileFormat(sniffing: bytes) : FileFormat(path: path) ?? FileFormat(sniffing: bytes)
    self.format = format
    let opened = try AlmanacError.translating("Cannot read \(name)") { () -> (Source, Schema) in
      switch format {
      case .parquet:
        let reader = try ParquetReader(bytes: bytes)
        return (.parquet(reader, nextGroup: 0), reader.schema)
      case .csv:
        let delimiter = path.lowercased().hasSuffix(".tsv") ? UInt8(ascii: "\t") : UInt8(ascii: ",")
        let reader = try CSVReader(bytes: bytes, options: CSVOptions(types: types, delimiter: delimiter))
        return (.csv(reader), reader.schema)
      case .jsonl:
        let reader = try JSONLinesReader(bytes: bytes, options: JSONLinesOptions(types: types))
        return (.jsonLines(reader), reader.schema)
      }
    }
    (source, schema) = opened
  }

  /// The next rows, nil at the end: a row group of Parquet, 64 Ki rows of text.
  package func next() throws(AlmanacError) -> Batch? {
    return try AlmanacError.translating("Cannot read \(name)") { () -> Batch? in
      switch source {
      case .parquet(let reader, let group):
        guard group < reader.rowGroupCount else { return nil }
        source = .parquet(reader, nextGroup: group + 1)
        return try reader.read(rowGroup: group)
      case .csv(var reader):
        let batch = try reader.next()
        source = .csv(reader)
        return batch
      case .jsonLines(var reader):
        let batch = try reader.next()
        source = .jsonLines(reader)
        return batch
      }
    }
  }

  /// All rows at once.
  package func readAll() throws(AlmanacError) -> Batch {
    var batches: [Batch] = []
    while let batch = try next() { batches.append(batch) }
    if batches.isEmpty { return Batch.empty(schema) }
    return batches.count == 1 ? batches[0] : Batch.concatenate(batches)
  }
}
