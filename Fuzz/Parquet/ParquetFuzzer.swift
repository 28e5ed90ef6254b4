import Columns
import Parquet

/// Reads whatever the bytes claim to be, in each way a file is read. Anything but columns or a `ParquetError` is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzParquet(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = BufferSlice(copying: UnsafeBufferPointer(start: start, count: count))
  do {
    // Files of a few kilobytes may honestly hold gigabytes of equal strings: the limit keeps a run short.
    let reader = try ParquetReader(bytes: bytes, limits: ParquetLimits(expandedByteCountMax: 64 << 20))
    _ = try? FileDescription(reader, includesPages: true)
    for group in 0..<min(reader.rowGroupCount, 4) {
      _ = try? reader.read(rowGroup: group)
      let rowCount = reader.rowCount(ofRowGroup: group)
      _ = try? reader.read(rowGroup: group, rows: rowCount / 3..<rowCount - rowCount / 3)
    }
    var scan = ParquetScan(reader, rowGroups: 0..<min(reader.rowGroupCount, 4), batchRowCountMax: 100)
    var batchCount = 0
    while batchCount < 100, try scan.next() != nil { batchCount += 1 }
  } catch {}
  return 0
}
