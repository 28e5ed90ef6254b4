import Columns
import Dispatch
import Synchronization

/// The SHA-256 of an input file, computed on another thread while its rows are read.
final class InputDigest: Sendable {
  private let outcome = Mutex<Result<String, AlmanacError>?>(nil)
  private let done = DispatchGroup()

  /// - Parameters:
  ///   - bytes: of the open file; read at a pace of their own.
  ///   - path: where they came from.
  init(of bytes: BufferSlice, from path: String) {
    done.enter()
    let bytes = InputBytes.again(bytes)
    DispatchQueue.global().async { [self] in
      let found = Result { () throws(AlmanacError) in try InputBytes.digest(of: bytes, from: path) }
      outcome.withLock { $0 = found }
      done.leave()
    }
  }

  /// Hexadecimal digits; empty for what is no regular file. - Throws: `io` when the file cannot be read.
  func value() throws(AlmanacError) -> String {
    done.wait()
    return try outcome.withLock { $0 }?.get() ?? ""
  }
}
