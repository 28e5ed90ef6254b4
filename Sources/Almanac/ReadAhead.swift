import Columns
import Dispatch
import Synchronization

/// Reads the next batch of a file on another thread while the caller works on the one before.
///
/// Used by one thread.
final class ReadAhead {
  private let work: Work
  private let done = DispatchSemaphore(value: 0)
  private var isReading = false

  init(_ file: TableFile) { work = Work(file) }

  deinit { if isReading { done.wait() } }

  /// The next rows, nil at the end.
  /// - Throws: what `TableFile.next` throws, when its batch is asked for.
  func next() throws(AlmanacError) -> Batch? {
    if isReading { done.wait() } else { work.read() }
    isReading = false
    let batch = try work.outcome.withLock { $0 }.get()
    guard batch != nil else { return nil }
    isReading = true
    DispatchQueue.global().async { [work, done] in
      work.read()
      done.signal()
    }
    return batch
  }

  // SAFETY: the file is touched by one thread at a time: the caller waits for the semaphore before it reads, or has it read, again.
  private final class Work: @unchecked Sendable {
    private let file: TableFile
    let outcome = Mutex<Result<Batch?, AlmanacError>>(.success(nil))

    init(_ file: TableFile) { self.file = file }

    func read() {
      let found = Result { () throws(AlmanacError) in try file.next() }
      outcome.withLock { $0 = found }
    }
  }
}
