import JSON
import Objects
import Synchronization

/// While it lives, gc keeps the commits that it names, with everything they reach; and one that is taken for work also whatever
/// is as young as itself.
package final class Lease: Sendable {
  private let lock: VolumeLock?

  init(_ lock: VolumeLock?) { self.lock = lock }
}

/// What the leases of living processes keep.
struct LeasedObjects {
  var commits: [CommitID] = []
  /// Files and packs that are not older than this stay (microseconds of the volume's clock); nil: no work is under way.
  var youngMicros: Int64?
  /// Files that dead processes have left.
  var dead: [String] = []
}

extension Archive {
  static let leasesFolder = "leases"

  /// Keeps commits from gc until the result is given up or the process ends, however it ends.
  ///
  /// In a repository where nothing can be written the lease is an empty one.
  /// - Parameter isForWork: keep also what is written, or found and given a new age, from now on: then a writer that ends by
  ///   moving a ref finds all of it in its place, whatever the grace period.
  /// - Throws: `notFound` when a commit is not stored (any more).
  package func lease(_ commits: [CommitID], isForWork: Bool = false) throws(StoreError) -> Lease {
    if isReadOnly { return Lease(nil) }
    let name = "\(Self.leasesFolder)/\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    var members: [String: JSON] = ["format": 1, "commits": .array(commits.map { .string($0.hex) })]
    if isForWork { members["work"] = .bool(true) }
    let content = JSON.object(members).canonicalBytes
    // Shared: gc reads the leases alone, so it sees this one or has removed the commits before they are looked for here.
    return try sharingObjects { () throws(StoreError) in
      let claim = try volume.claim(name, content)
      for id in commits { _ = try commit(id) }
      return Lease(claim)
    }
  }

  /// What living processes have leased. Commits that are not stored are left out: who asked for one was told so.
  func leases() throws(StoreError) -> LeasedObjects {
    var found = LeasedObjects()
    for name in try volume.list(Self.leasesFolder) {
      let path = "\(Self.leasesFolder)/\(name)"
      guard try volume.isClaimed(path) else {
        found.dead.append(path)
        continue
      }
      do {
        let fields = try StoredJSON(try volume.read(path), object: "lease \(path)", format: 1)
        for item in try fields.array("commits") {
          guard case .string(let text) = item, let id = CommitID(hex: text) else { continue }
          if try catalog.missing(kind: ObjectKind.commit.rawValue, ids: [id.bytes]).isEmpty { found.commits.append(id) }
        }
        if case .bool(true)? = fields.json["work"], let time = try volume.modifiedMicros(path) {
          found.youngMicros = min(time, found.youngMicros ?? .max)
        }
      } catch  where error.kind == .notFound {
        // Given up meanwhile.
        continue
      }
    }
    return found
  }
}
