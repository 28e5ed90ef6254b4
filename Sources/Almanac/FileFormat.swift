import Columns

/// The file formats that Almanac reads and writes.
package enum FileFormat: String, CaseIterable, Sendable {
  case parquet
  /// Arrow IPC file ("Feather V2").
  case arrow
  /// Arrow IPC stream.
  case arrowStream = "arrows"
  case csv, jsonl

  /// The format that a file's name says, nil when it says none.
  package init?(path: String) {
    switch path.split(separator: ".").last.map({ $0.lowercased() }) {
    case "parquet", "pq": self = .parquet
    case "arrow", "feather", "ipc": self = .arrow
    case "arrows": self = .arrowStream
    case "csv", "tsv", "psv": self = .csv
    case "jsonl", "ndjson", "json": self = .jsonl
    default: return nil
    }
  }

  /// The format that the first bytes show: Parquet's magic, Arrow's magic or its continuation marker, a brace for JSON Lines, else CSV.
  package init(sniffing bytes: BufferSlice) {
    self = bytes.withBytes { raw in
      if raw.starts(with: Array("PAR1".utf8)) || raw.starts(with: Array("PARE".utf8)) { return .parquet }
      if raw.starts(with: Array("ARROW1".utf8)) { return .arrow }
      if raw.starts(with: [0xFF, 0xFF, 0xFF, 0xFF]) { return .arrowStream }
      let first = raw.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
      return first == UInt8(ascii: "{") ? .jsonl : .csv
    }
  }

  /// The delimiter that a CSV file's name asks for; nil when it leaves the choice to the first line.
  static func delimiter(path: String) -> UInt8? {
    switch path.split(separator: ".").last.map({ $0.lowercased() }) {
    case "tsv": UInt8(ascii: "\t")
    case "psv": UInt8(ascii: "|")
    default: nil
    }
  }
}
