import Columns

#if canImport(Glibc)
  import Glibc
#endif

/// The state of an exported stream; used by one thread at a time, as the specification demands.
private final class ExportedStream {
  let schema: Schema
  let next: () throws -> Batch?
  var lastError: UnsafeMutablePointer<CChar>?

  init(_ schema: Schema, _ next: @escaping () throws -> Batch?) {
    self.schema = schema
    self.next = next
  }

  deinit { lastError?.deallocate() }

  func remember(_ error: any Error) {
    lastError?.deallocate()
    let bytes = Array("\(error)".utf8CString)
    let place = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    place.initialize(from: bytes, count: bytes.count)
    lastError = place
  }

  // SAFETY: `pointer` is a stream that `export` filled and that has not been released.
  static func state(_ pointer: UnsafeMutableRawPointer?) -> ExportedStream? {
    guard let owner = pointer?.assumingMemoryBound(to: CArrowArrayStream.self).pointee.privateData else { return nil }
    return Unmanaged<ExportedStream>.fromOpaque(owner).takeUnretainedValue()
  }
}

extension CDataExport {
  /// Fills `target` with a stream of batches of this schema.
  ///
  /// - Parameter next: gives the batches in order, then nil. An error ends up in the consumer's `get_last_error`.
  package static func export(
    _ schema: Schema, to target: UnsafeMutablePointer<CArrowArrayStream>, next: @escaping () throws -> Batch?
  ) {
    var stream = CArrowArrayStream()
    stream.getSchema = { pointer, target in
      guard let state = ExportedStream.state(pointer), let target else { return EINVAL }
      CDataExport.export(state.schema, to: target.assumingMemoryBound(to: CArrowSchema.self))
      return 0
    }
    stream.getNext = { pointer, target in
      guard let state = ExportedStream.state(pointer), let target else { return EINVAL }
      let array = target.assumingMemoryBound(to: CArrowArray.self)
      do {
        // The end of a stream is an array that is already released.
        guard let batch = try state.next() else {
          array.initialize(to: CArrowArray())
          return 0
        }
        CDataExport.export(batch, to: array)
        return 0
      } catch {
        state.remember(error)
        return EIO
      }
    }
    stream.getLastError = { pointer in ExportedStream.state(pointer)?.lastError.map { UnsafePointer($0) } }
    stream.release = { pointer in
      guard let stream = pointer?.assumingMemoryBound(to: CArrowArrayStream.self), stream.pointee.release != nil else { return }
      if let owner = stream.pointee.privateData { Unmanaged<ExportedStream>.fromOpaque(owner).release() }
      stream.pointee.privateData = nil
      stream.pointee.release = nil
    }
    stream.privateData = Unmanaged.passRetained(ExportedStream(schema, next)).toOpaque()
    target.initialize(to: stream)
  }
}
