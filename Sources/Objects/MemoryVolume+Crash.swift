import Foundation
import Synchronization

extension MemoryVolume {
  /// The volume as a machine finds it that stopped now and was started again: whatever was not made durable is gone.
  package func afterCrash() -> MemoryVolume { restarted(with: state.withLock { $0.durable }) }

  /// The volumes that a crash now may leave: for every path, what is durable or any of what came later, whatever became of
  /// the others.
  /// - Parameters:
  ///   - limit: all of them if there are no more; else so many by chance, and the two in which nothing and everything is left.
  package func afterCrash(limit: Int, using random: inout some RandomNumberGenerator) -> [MemoryVolume] {
    let (durable, pending) = state.withLock { ($0.durable, $0.pending.sorted { $0.key < $1.key }) }
    let choices = pending.map { path, later in (path: path, options: [durable[path]] + later) }
    let total = choices.reduce(1) { total, choice in total > limit ? total : total * choice.options.count }
    func volume(_ pick: (Int) -> Int) -> MemoryVolume {
      var files = durable
      for (index, choice) in choices.enumerated() { files[choice.path] = choice.options[pick(index)] }
      return restarted(with: files)
    }
    if total <= limit {
      return (0..<total).map { number in
        var rest = number
        let digits = choices.map { choice -> Int in
          defer { rest /= choice.options.count }
          return rest % choice.options.count
        }
        return volume { digits[$0] }
      }
    }
    var picked = [volume { _ in 0 }, volume { choices[$0].options.count - 1 }]
    while picked.count < limit {
      let digits = choices.map { Int.random(in: 0..<$0.options.count, using: &random) }
      picked.append(volume { digits[$0] })
    }
    return picked
  }

  // MARK: Locks

  package func lock(_ path: String, _ mode: LockMode) throws(StoreError) -> VolumeLock {
    let lock = state.withLock { state in
      if let found = state.locks[path] { return found }
      let made = MemoryLock()
      state.locks[path] = made
      return made
    }
    lock.take(mode)
    return VolumeLock { lock.release(mode) }
  }

  package func claim(_ path: String, _ bytes: [UInt8]) throws(StoreError) -> VolumeLock {
    state.withLock { state in
      state.files[path] = bytes
      state.modified[path] = now()
      state.claims.insert(path)
    }
    return VolumeLock { [self] in
      state.withLock { state in
        state.files[path] = nil
        state.claims.remove(path)
      }
    }
  }

  package func isClaimed(_ path: String) throws(StoreError) -> Bool { state.withLock { $0.claims.contains(path) } }
}

/// As `flock`: any number of shared holders, or one alone; those who wait do not keep out others who may come in.
///
/// SAFETY: `@unchecked` because of the two counts, which are touched only while `condition` is locked.
final class MemoryLock: @unchecked Sendable {
  private let condition = NSCondition()
  private var sharedCount = 0
  private var isExclusive = false

  func take(_ mode: LockMode) {
    condition.lock()
    defer { condition.unlock() }
    switch mode {
    case .shared:
      while isExclusive { condition.wait() }
      sharedCount += 1
    case .exclusive:
      while isExclusive || sharedCount > 0 { condition.wait() }
      isExclusive = true
    }
  }

  func release(_ mode: LockMode) {
    condition.lock()
    defer { condition.unlock() }
    switch mode {
    case .shared: sharedCount -= 1
    case .exclusive: isExclusive = false
    }
    condition.broadcast()
  }
}
