import Columns
import Arrow

/// Reads whatever the bytes claim to be. Anything but batches or an `ArrowError` is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArrow(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = BufferSlice(copying: UnsafeBufferPointer(start: start, count: count))
  do {
    var reader = try ArrowReader(bytes: bytes, expandedByteCountMax: 64 << 20)
    while try reader.next() != nil {}
  } catch {}
  return 0
}
