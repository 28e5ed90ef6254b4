import Columns
import Glibc
import Testing

@testable import Parquet

/// Scans one mapped file, releases what was read, and tells the peak memory: set ALMANAC_PARQUET_SCAN to a file to run it.
@Suite struct ScanMemoryTests {
  static let path = getenv("ALMANAC_PARQUET_SCAN").map { String(cString: $0) }

  private static func status(_ key: String) -> String {
    guard let file = fopen("/proc/self/status", "r") else { return "" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
      let text = line.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 && $0 != 10 }, as: UTF8.self) }
      if text.hasPrefix(key) { return text }
    }
    return ""
  }

  @Test(.enabled(if: path != nil)) func peakOfAScan() throws {
    guard let path = Self.path else { return }
    let file = open(path, O_RDONLY)
    let byteCount = Int(lseek(file, 0, SEEK_END))
    let base = try #require(mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, file, 0))
    let bytes = BufferSlice(owner: nil, start: UnsafeRawPointer(base), byteCount: byteCount)
    let reader = try ParquetReader(bytes: bytes)
    nonisolated(unsafe) let start = base
    for threads in [1, 2] {
      var rowCount = 0
      var (batchCount, released) = (0, 0)
      let time = try ContinuousClock().measure {
        var scan = ParquetScan(reader, threads: threads) { range in
          let (low, high) = ((range.lowerBound + 4095) & ~4095, range.upperBound & ~4095)
          if high > low {
            madvise(start + low, high - low, MADV_DONTNEED)
            released += high - low
          }
        }
        while let batch = try scan.next() {
          rowCount += batch.rowCount
          batchCount += 1
        }
      }
      print(
        "\(rowCount) rows in \(batchCount) batches, \(byteCount) bytes, \(released) released, \(threads) threads: \(time), \(Self.status("VmHWM"))"
      )
    }
    munmap(base, byteCount)
    close(file)
  }
}
