import JSON
import Objects
import Testing

@testable import History

/// A store whose machine can be stopped at each of its writes.
final class CrashStore {
  let faults = StorageFaults()
  let volume: MemoryVolume
  let catalog: Catalog
  let clock = TestClock(1_769_904_000_000_000)
  let archive: Archive

  init() throws {
    let clock = clock
    volume = MemoryVolume(faults: faults, now: { clock.micros })
    catalog = try Catalog.inMemory(faults: faults)
    archive = try Archive.create(on: volume, catalog: catalog, now: { clock.micros })
  }

  /// The stores that a crash now may leave.
  func survivors(limit: Int, using random: inout SplitMix) throws -> [Survivor] {
    try volume.afterCrash(limit: limit, using: &random).map { try Survivor($0, catalog.snapshot(), clock) }
  }
}

/// A store after the restart of its machine.
struct Survivor {
  let volume: MemoryVolume
  let archive: Archive

  init(_ volume: MemoryVolume, _ catalog: Catalog, _ clock: TestClock) throws {
    self.volume = volume
    archive = try Archive.open(on: volume, catalog: catalog, now: { clock.micros })
  }

  /// The refs by name.
  func refs() throws -> [String: CommitID] {
    Dictionary(uniqueKeysWithValues: try archive.refs().map { ($0.name, $0.commit) })
  }

  /// Reads everything that a check reads, and everything that every ref reaches.
  func expectIntact(_ label: String) throws {
    let report = try archive.check(decoder: nil)
    #expect(report.problems.filter { $0.severity == .damage } == [], "\(label)")
    for ref in try archive.refs() {
      for (_, commit) in try archive.log(from: ref.commit) {
        _ = try archive.blob(commit.definitions)
        for dataset in commit.datasets.values {
          let root = try archive.root(dataset.root)
          for tail in root.tails.entries { try archive.verifyFile(ObjectKey(tail.id)) }
          for partition in try archive.partitions(of: dataset.root) {
            for leaf in try archive.leaves(of: partition.tree) { try archive.verifyLeaf(leaf.id) }
          }
        }
      }
    }
    // The file never knows a move that the catalog does not, and the next move makes good what it lacks.
    let inFile = try archive.refLog.moves()
    #expect(Array(try archive.catalog.refLog(ref: nil).prefix(inFile.count)) == inFile, "\(label)")
  }
}

/// One change of a store, with what stands before it.
struct Scenario: Sendable, CustomTestStringConvertible {
  let name: String
  let prepare: @Sendable (CrashStore) throws -> Void
  let act: @Sendable (CrashStore) throws -> Void
  var testDescription: String { name }

  static let all: [Scenario] = [
    Scenario(name: "first commit") { _ in
    } act: { store in
      try store.archive.putVectorLeaves([0, 1])
      var (draft, id) = store.archive.draftCommit([vectorLeaf(0), vectorLeaf(1)])
      #expect(try store.archive.publish(&draft, commit: id, to: "main", expecting: nil, reason: "r") == .moved)
    },
    Scenario(name: "commit onto another") { store in
      _ = try store.archive.publishChain(["first"])
    } act: { store in
      let parent = try store.archive.resolve("main")
      try store.archive.putVectorLeaves([3])
      var (draft, id) = store.archive.draftCommit([vectorLeaf(0), vectorLeaf(3)], parents: [parent], message: "second")
      #expect(try store.archive.publish(&draft, commit: id, to: "main", expecting: parent, reason: "second") == .moved)
    },
    Scenario(name: "leaves, tail and nodes at once") { store in
      _ = try store.archive.publishChain(["first"])
    } act: { store in
      let parent = try store.archive.resolve("main")
      try store.archive.putVectorLeaves(0..<3)
      try store.archive.putVectorTail(7)
      var (draft, id) = store.archive.draftTailCommit(leaves: 3, tail: 7, parents: [parent])
      #expect(try store.archive.publish(&draft, commit: id, to: "main", expecting: parent, reason: "seal") == .moved)
    },
    Scenario(name: "branch and tag") { store in
      _ = try store.archive.publishChain(["first"])
    } act: { store in
      let tip = try store.archive.resolve("main")
      try store.archive.createBranch("side", at: tip)
      try store.archive.createTag("v1", at: tip)
    },
    Scenario(name: "moving and deleting refs") { store in
      let ids = try store.archive.publishChain(["first", "second"])
      try store.archive.createBranch("side", at: ids[0])
    } act: { store in
      let ids = try (store.archive.resolve("main~1"), store.archive.resolve("main"))
      #expect(try store.archive.moveRef("side", to: ids.1, expecting: ids.0, reason: "forward") == .moved)
      #expect(try store.archive.moveRef("main", to: ids.0, expecting: ids.1, reason: "back") == .moved)
      #expect(try store.archive.deleteRef("side") == .moved)
    },
    Scenario(name: "gc") { store in
      try store.prepareGarbage()
    } act: { store in
      let report = try store.archive.collectGarbage(.everything, isDryRun: false)
      #expect(report.objectCounts == ["commit": 2, "leaf": 2, "node": 4, "root": 2])
    },
    Scenario(name: "gc that writes packs anew") { store in
      try store.prepareMixedPack()
    } act: { store in
      let report = try store.archive.collectGarbage(.everything, isDryRun: false)
      #expect(report.items.map(\.kind).contains(.repacked))
    },
  ]
}

extension GarbageRules {
  /// Keeps nothing that is not reachable.
  static var everything: GarbageRules {
    var rules = GarbageRules()
    rules.retentionMicros = 0
    rules.graceMicros = 0
    return rules
  }
}

extension CrashStore {
  /// Two commits on a branch that is deleted, beside one that stays.
  func prepareGarbage() throws {
    let ids = try archive.publishChain(["kept"])
    for number in [5, 6] {
      try archive.putVectorLeaves([number])
      let parent = try archive.ref(named: "side")?.commit
      var (draft, id) = archive.draftCommit([vectorLeaf(number)], parents: [parent ?? ids[0]], message: "\(number)")
      #expect(try archive.publish(&draft, commit: id, to: "side", expecting: parent, reason: "side") == .moved)
    }
    #expect(try archive.deleteRef("side") == .moved)
    clock.micros += 10_000_000
  }

  /// A pack with a small blob that stays and a large one that goes.
  func prepareMixedPack() throws {
    try archive.putVectorLeaves([0])
    var (draft, id) = archive.draftCommit([vectorLeaf(0)])
    _ = draft.addBlob([UInt8](repeating: 7, count: 4000))
    #expect(try archive.publish(&draft, commit: id, to: "main", expecting: nil, reason: "r") == .moved)
    clock.micros += 10_000_000
  }
}

extension Archive {
  /// Stores a tail whose file is its id.
  func putVectorTail(_ number: Int) throws {
    let id = vectorTail(number)
    try id.bytes.withUnsafeBytes { try putTail(id, bytes: $0, digests: [9]) }
  }

  func draftTailCommit(leaves: Int, tail: Int, parents: [CommitID]) -> (draft: Draft, id: CommitID) {
    var draft = draft()
    let tree = draft.addPartitionTree((0..<leaves).map { vectorLeaf($0) })
    let tails = TailList([
      TailEntry(
        id: vectorTail(tail), sequence: 1, parts: [TailPart(partition: 0, rowCount: 3, insertCount: 2, deleteCount: 1)])
    ])
    let root = draft.addRoot(
      schema: ["a": "int64"], layout: ["leafRows": 4096],
      partitions: [PartitionEntry(number: 0, tree: tree, rowCount: 2 * leaves)], tails: tails)
    let id = draft.addCommit(
      Commit(
        parents: parents, datasets: ["t": DatasetRef(root: root, rows: 2 * leaves + 1)],
        definitions: draft.addBlob(Array("{}".utf8)), author: "a", message: "tail", timeMicros: 9))
    return (draft, id)
  }
}

func vectorTail(_ number: Int) -> TailID { TailID(bytes: Checksum.sha256(key(number) + [1])) }
