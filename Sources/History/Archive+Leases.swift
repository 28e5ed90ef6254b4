import JSON
import Objects

/// While it lives, gc keeps the commits that it names, with everything they reach.
package final class Lease: Sendable {
  private let lock: VolumeLock?

  init(_ lock: VolumeLock?) { self.lock = lock }
}

extension Archive {
  static let leasesFolder = "leases"

  /// Keeps commits from gc until the result is given up or the process ends, however it ends.
  ///
  /// In a repository where nothing can be written the lease is an empty one.
  /// - Throws: `notFound` when a commit is not stored (any more).
  package func lease(_ commits: [CommitID]) throws(StoreError) -> Lease {
    if isReadOnly { return Lease(nil) }
    let name = "\(Self.leasesFolder)/\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    let content = JSON.object(["format": 1, "commits": .array(commits.map { .string($0.hex) })]).canonicalBytes
    // Shared: gc reads the leases alone, so it sees this one or has removed the commits before they are looked for here.
    return try sharingObjects { () throws(StoreError) in
      let claim = try volume.claim(name, content)
      for id in commits { _ = try commit(id) }
      return Lease(claim)
    }
  }

  /// The commits that living processes have leased, and the files that dead ones left.
  func leases() throws(StoreError) -> (commits: [CommitID], dead: [String]) {
    var commits: [CommitID] = []
    var dead: [String] = []
    for name in try volume.list(Self.leasesFolder) {
      let path = "\(Self.leasesFolder)/\(name)"
      guard try volume.isClaimed(path) else {
        dead.append(path)
        continue
      }
      do {
        let fields = try StoredJSON(try volume.read(path), object: "lease \(path)", format: 1)
        for item in try fields.array("commits") {
          if case .string(let text) = item, let id = CommitID(hex: text) { commits.append(id) }
        }
      } catch  where error.kind == .notFound {
        // Given up meanwhile.
        continue
      }
    }
    return (commits, dead)
  }
}
