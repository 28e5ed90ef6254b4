import Columns
import TextFormats

/// Reads whatever the bytes claim to be. Anything but batches or a `TextError` is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSONLines(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = BufferSlice(copying: UnsafeBufferPointer(start: start, count: count))
  do {
    var reader = try JSONLinesReader(bytes: bytes, options: JSONLinesOptions())
    while try reader.next() != nil {}
  } catch {}
  return 0
}
