/// The three structures of the Arrow C Data Interface, laid out as its C definition: eight-byte members only, in this order.
///
/// They are exchanged as raw pointers, so that whoever offers a C ABI may use the header of the specification beside them.
///
/// Format: https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html.
package struct CArrowSchema {
  package typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void

  var format: UnsafePointer<CChar>?
  var name: UnsafePointer<CChar>?
  var metadata: UnsafePointer<CChar>?
  var flags: Int64
  var childCount: Int64
  var children: UnsafeMutablePointer<UnsafeMutablePointer<CArrowSchema>?>?
  var dictionary: UnsafeMutablePointer<CArrowSchema>?
  package var release: Release?
  var privateData: UnsafeMutableRawPointer?

  static let nullableFlag: Int64 = 2

  /// A structure to be filled by a producer; nothing is to be released yet.
  package init() {
    (format, name, metadata, flags, childCount, children, dictionary, release, privateData) = (nil, nil, nil, 0, 0, nil, nil, nil, nil)
  }
}

package struct CArrowArray {
  package typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void

  var count: Int64
  var nullCount: Int64
  var offset: Int64
  var bufferCount: Int64
  var childCount: Int64
  var buffers: UnsafeMutablePointer<UnsafeRawPointer?>?
  var children: UnsafeMutablePointer<UnsafeMutablePointer<CArrowArray>?>?
  var dictionary: UnsafeMutablePointer<CArrowArray>?
  package var release: Release?
  var privateData: UnsafeMutableRawPointer?

  package init() {
    (count, nullCount, offset, bufferCount, childCount) = (0, 0, 0, 0, 0)
    (buffers, children, dictionary, release, privateData) = (nil, nil, nil, nil, nil)
  }
}

package struct CArrowArrayStream {
  package typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void
  package typealias Get = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> CInt
  package typealias GetLastError = @convention(c) (UnsafeMutableRawPointer?) -> UnsafePointer<CChar>?

  package var getSchema: Get?
  package var getNext: Get?
  package var getLastError: GetLastError?
  package var release: Release?
  var privateData: UnsafeMutableRawPointer?

  package init() { (getSchema, getNext, getLastError, release, privateData) = (nil, nil, nil, nil, nil) }
}
