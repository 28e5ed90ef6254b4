import Columns

#if canImport(Glibc)
  import Glibc
#endif

/// A stream of batches that was moved here through the C Stream Interface; released with this object.
///
/// Used by one thread at a time, as the specification demands. The batches outlive the stream.
package final class ImportedStream {
  package let schema: Schema
  private var stream: CArrowArrayStream
  private let field: ArrowField
  private let decoder: ArrayDecoder

  /// Moves the stream out of `source`, and asks it for its schema.
  /// - Throws: `ArrowError` with the producer's message, or if a type cannot be read; the stream is then released.
  package init(moving source: UnsafeMutablePointer<CArrowArrayStream>, expandedByteCountMax: Int = Int(Int32.max)) throws(ArrowError) {
    guard source.pointee.release != nil else { throw .malformed("Cannot import a stream: it has been released") }
    var moved = source.pointee
    source.pointee.release = nil
    do throws(ArrowError) {
      var schema = CArrowSchema()
      let code = moved.getSchema?(&moved, &schema) ?? EINVAL
      guard code == 0 else { throw Self.failure(&moved, code, "its schema") }
      field = try CDataImport.table(&schema)
    } catch {
      moved.release?(&moved)
      throw error
    }
    stream = moved
    schema = Schema(field.children.map(\.field))
    decoder = ArrayDecoder(expandedByteCountMax: expandedByteCountMax)
  }

  deinit { stream.release?(&stream) }

  /// The next batch; nil behind the last one.
  package func next() throws(ArrowError) -> Batch? {
    var array = CArrowArray()
    let code = stream.getNext?(&stream, &array) ?? EINVAL
    guard code == 0 else { throw Self.failure(&stream, code, "a batch") }
    guard array.release != nil else { return nil }
    return try CDataImport.batch(moving: &array, field: field, decoder)
  }

  private static func failure(_ stream: inout CArrowArrayStream, _ code: CInt, _ object: String) -> ArrowError {
    let text = stream.getLastError?(&stream).map { String(cString: $0) } ?? "error number \(code)"
    return .malformed("Cannot import \(object) from a stream: \(text)")
  }
}
