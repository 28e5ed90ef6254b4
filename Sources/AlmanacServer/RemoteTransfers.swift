import Almanac
import Synchronization

/// Transfers of other repositories that are under way, each with what it keeps here from gc, by the names that they gave themselves.
///
/// One that says nothing for a while is over, as its program may have died.
final class RemoteTransfers: Sendable {
  private struct Transfer {
    let remote: any Remote
    var lastUse: ContinuousClock.Instant
  }

  /// The header of a request that belongs to a transfer.
  static let header = "Almanac-Transfer"
  /// Longer than a client waits for an answer, and than it takes between two questions.
  private static let idleSecondsMax = 600.0
  /// So many have their names kept; of more the one that was silent the longest begins to rely on luck.
  private static let countMax = 256
  private static let nameByteCountMax = 64

  private let remote: any Remote
  private let transfers = Mutex<[String: Transfer]>([:])

  init(_ remote: any Remote) { self.remote = remote }

  /// The repository for the transfer of that name, which begins with the first question; for none of the repository itself.
  func remote(for name: String?) throws(StoreError) -> any Remote {
    endIdle()
    guard let name, Self.isName(name) else { return remote }
    let now = ContinuousClock.now
    let known = transfers.withLock { transfers in
      transfers[name]?.lastUse = now
      return transfers[name]?.remote
    }
    if let known { return known }
    // Away from the lock, because it may wait for a gc; of two that begin at once the first stays.
    let work = try remote.beginWork()
    let (kept, ended) = transfers.withLock { transfers -> (any Remote, (any Remote)?) in
      if let other = transfers[name] { return (other.remote, work) }
      var ended: (any Remote)?
      if transfers.count >= Self.countMax, let oldest = transfers.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        ended = transfers.removeValue(forKey: oldest.key)?.remote
      }
      transfers[name] = Transfer(remote: work, lastUse: now)
      return (work, ended)
    }
    ended?.endWork()
    return kept
  }

  /// No error if there is none of that name.
  func end(_ name: String) { transfers.withLock { $0.removeValue(forKey: name) }?.remote.endWork() }

  /// Gives up what silent transfers keep.
  func endIdle() {
    let start = ContinuousClock.now - .seconds(Self.idleSecondsMax)
    let ended = transfers.withLock { transfers in
      let idle = transfers.filter { $0.value.lastUse < start }
      for name in idle.keys { transfers[name] = nil }
      return idle.values.map(\.remote)
    }
    for remote in ended { remote.endWork() }
  }

  var count: Int { transfers.withLock { $0.count } }

  private static func isName(_ name: String) -> Bool {
    (1...nameByteCountMax).contains(name.utf8.count)
      && name.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
      }
  }
}
