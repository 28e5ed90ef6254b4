import Columns
import Glibc
import Testing

@testable import Parquet

/// Times the reading of the files of a folder: set ALMANAC_PARQUET_TIMES to run it, in a release build.
@Suite struct ReadTimingTests {
  static let input = getenv("ALMANAC_PARQUET_TIMES").map { String(cString: $0) }

  @Test(.enabled(if: input != nil)) func timesOfFiles() throws {
    guard let input = Self.input else { return }
    for name in ForeignFileTests.names(input) {
      guard let bytes = ForeignFileTests.bytes("\(input)/\(name)") else { continue }
      let reader = try ParquetReader(bytes: bytes)
      func best(_ body: () throws -> Void) rethrows -> Duration {
        var best = Duration.seconds(100)
        for _ in 0..<5 { best = min(best, try ContinuousClock().measure(body)) }
        return best
      }
      for threads in [1, 2] {
        let whole = try best {
          var batches: [Batch] = []
          for group in 0..<reader.rowGroupCount { batches.append(try reader.read(rowGroup: group, threads: threads)) }
        }
        let scanned = try best {
          var scan = ParquetScan(reader, threads: threads)
          while try scan.next() != nil {}
        }
        print("\(name), \(threads) threads: row groups \(whole), scan \(scanned)")
      }
      if getenv("ALMANAC_PARQUET_COLUMNS") != nil {
        for column in reader.schema.fields.indices {
          let time = try best { for group in 0..<reader.rowGroupCount { _ = try reader.read(rowGroup: group, columns: [column]) } }
          print("  \(reader.schema.fields[column].name) \(reader.schema.fields[column].type): \(time)")
        }
      }
    }
  }
}
