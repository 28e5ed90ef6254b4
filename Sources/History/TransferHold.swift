import Objects
import Synchronization

/// What a transfer keeps from gc in an archive while it is under way: the commits that are asked for, and whatever it finds to be
/// there or registers.
final class TransferHold: Sendable {
  private let archive: Archive
  /// Nil once it was given up.
  private let leases: Mutex<[CommitID?: Lease]?>

  init(_ archive: Archive) throws(StoreError) {
    self.archive = archive
    leases = Mutex([nil: try archive.lease([], isForWork: true)])
  }

  /// - Throws: `notFound` when a commit is not stored.
  func add(_ commits: [CommitID]) throws(StoreError) {
    let known = leases.withLock { Set(($0 ?? [:]).keys) }
    let new = commits.filter { !known.contains($0) }
    guard !new.isEmpty else { return }
    let lease = try archive.lease(new)
    leases.withLock { leases in
      for commit in new { leases?[commit] = lease }
    }
  }

  func release() { leases.withLock { $0 = nil } }
}
