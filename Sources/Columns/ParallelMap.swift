import Dispatch
import Synchronization

/// The results of `body` for every item, in order, on as many threads as there are processors (at most `threadCountMax`).
///
/// Returns after all items are done, even when one throws.
/// - Throws: the error of the first item, in order, that failed.
package func parallelMap<Item: Sendable, Result: Sendable>(
  _ items: [Item], threadCountMax: Int = .max, _ body: @Sendable (Item) throws -> Result
) throws -> [Result] {
  guard items.count > 1 && threadCountMax > 1 else { return try items.map(body) }
  let results = Mutex([Int: Swift.Result<Result, any Error>]())
  let next = Mutex(0)
  let processorCount = min(items.count, threadCountMax, max(1, ParallelMap.processorCount))
  DispatchQueue.concurrentPerform(iterations: processorCount) { _ in
    while true {
      let index = next.withLock { value -> Int in
        defer { value += 1 }
        return value
      }
      guard index < items.count else { return }
      let result = Swift.Result { try body(items[index]) }
      results.withLock { $0[index] = result }
    }
  }
  return try results.withLock { found in try (0..<items.count).map { try found[$0]!.get() } }
}

#if canImport(Glibc)
  import Glibc
#endif

enum ParallelMap {
  static let processorCount = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
