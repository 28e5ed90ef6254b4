import Columns
import Parquet

/// Reads whatever the bytes claim to be. Anything but columns or a `ParquetError` is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzParquet(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = BufferSlice(copying: UnsafeBufferPointer(start: start, count: count))
  do {
    let reader = try ParquetReader(bytes: bytes)
    // What one row group costs is bounded by the reader; their number in a small file is not.
    for group in 0..<min(reader.rowGroupCount, 16) { _ = try reader.read(rowGroup: group) }
  } catch {}
  return 0
}
