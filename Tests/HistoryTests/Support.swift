import Glibc
import JSON
import Objects
import Synchronization
import Testing

@testable import History

/// A clock that stands still until it is set.
final class TestClock: Sendable {
  private let time: Mutex<Int64>
  init(_ micros: Int64) { time = Mutex(micros) }
  var micros: Int64 {
    get { time.withLock { $0 } }
    set { time.withLock { $0 = newValue } }
  }
}

/// An archive in memory, with what is beneath it.
struct TestArchive {
  let volume: MemoryVolume
  let catalog: Catalog
  /// 2026-02-01T00:00:00Z
  let clock = TestClock(1_769_904_000_000_000)
  let archive: Archive

  init() throws {
    let clock = clock
    volume = MemoryVolume(now: { clock.micros })
    catalog = try Catalog.inMemory()
    archive = try Archive.create(on: volume, catalog: catalog, now: { clock.micros })
  }

  /// The archive as another process opens it.
  func reopened(on volume: MemoryVolume? = nil) throws -> Archive {
    let clock = clock
    return try Archive.open(on: volume ?? self.volume, catalog: catalog, now: { clock.micros })
  }
}

func key(_ number: Int) -> [UInt8] { PartitionEntry(number: Int64(number), tree: NodeID(bytes: zeros), rowCount: 0).key }
let zeros = [UInt8](repeating: 0, count: 32)

/// Leaf `n` of the test vectors: rows 2n and 2n + 1, the id SHA-256 of the key of n.
func vectorLeaf(_ n: Int) -> LeafEntry {
  LeafEntry(firstKey: key(2 * n), lastKey: key(2 * n + 1), rowCount: 2, id: LeafID(bytes: Checksum.sha256(key(n))))
}

extension Archive {
  /// Stores leaves whose file is their id.
  func putVectorLeaves(_ numbers: some Sequence<Int>) throws {
    for number in numbers {
      let id = vectorLeaf(number).id
      try id.bytes.withUnsafeBytes { try putLeaf(id, bytes: $0, digests: [UInt8(truncatingIfNeeded: number)]) }
    }
  }

  /// A draft with one commit of one dataset `t` with these leaves.
  func draftCommit(
    _ leaves: [LeafEntry], parents: [CommitID] = [], message: String = "m", timeMicros: Int64 = 1
  ) -> (draft: Draft, id: CommitID) {
    var draft = draft()
    let tree = draft.addPartitionTree(leaves)
    let rows = leaves.reduce(0) { $0 + $1.rowCount }
    let root = draft.addRoot(
      schema: ["a": "int64"], layout: ["leafRows": 4096], partitions: [PartitionEntry(number: 0, tree: tree, rowCount: rows)])
    let id = draft.addCommit(
      Commit(
        parents: parents, datasets: ["t": DatasetRef(root: root, rows: rows)], definitions: draft.addBlob(Array("{}".utf8)),
        author: "a", message: message, timeMicros: timeMicros))
    return (draft, id)
  }

  /// Publishes commits in a row on a branch; the ids, the oldest first.
  func publishChain(_ messages: [String], on branch: String = "main", from parent: CommitID? = nil) throws -> [CommitID] {
    var ids: [CommitID] = []
    var parent = parent
    for (index, message) in messages.enumerated() {
      try putVectorLeaves([0])
      var (draft, id) = draftCommit(
        [vectorLeaf(0)], parents: parent.map { [$0] } ?? [], message: message, timeMicros: Int64(index + 1))
      let expecting = try ref(named: branch)?.commit
      #expect(try publish(&draft, commit: id, to: branch, expecting: expecting, reason: "commit: \(message)") == .moved)
      ids.append(id)
      parent = id
    }
    return ids
  }
}

/// The error that the body throws.
func storeError(_ body: () throws -> Void) -> StoreError? {
  do {
    try body()
    return nil
  } catch {
    return error as? StoreError
  }
}

/// A new folder under the system's temporary folder, removed at the end.
final class TemporaryFolder {
  let path: String

  init() {
    let name = "almanac-test-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    path = "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/\(name)"
  }

  deinit {
    let volume = LocalVolume(root: path)
    func empty(_ folder: String) {
      for name in (try? volume.list(folder)) ?? [] {
        let inner = folder.isEmpty ? name : "\(folder)/\(name)"
        if (try? volume.remove(inner)) == nil { empty(inner) }
      }
      rmdir(volume.absolutePath(folder))
    }
    empty("")
  }
}
