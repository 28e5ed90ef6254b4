import Objects
import Synchronization
import Testing

@testable import History

/// A remote in memory that counts what is asked of it, and can fail at a call or spoil what it gives.
final class CountingRemote: Remote {
  struct Failure {
    /// Counted from 0 over all calls.
    let call: Int
    /// Whether the call took effect before its answer was lost.
    let isAnswerLost: Bool
  }

  private let base: any Remote
  private let calls = Mutex<[String]>([])
  private let failure: Failure?
  /// Changes the bytes of files that this remote gives.
  private let spoil: (@Sendable (inout [UInt8]) -> Void)?

  init(_ base: any Remote, failure: Failure? = nil, spoil: (@Sendable (inout [UInt8]) -> Void)? = nil) {
    self.base = base
    self.failure = failure
    self.spoil = spoil
  }

  var location: String { base.location }
  /// The names of the calls, in order.
  var log: [String] { calls.withLock { $0 } }
  func count(_ name: String) -> Int { log.count { $0 == name } }

  private func call<Value>(_ name: String, _ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
    let number = calls.withLock { log in
      log.append(name)
      return log.count - 1
    }
    let error = StoreError(kind: .io(104), text: "The connection broke at call \(number), \(name)")
    if let failure, failure.call == number {
      if failure.isAnswerLost { _ = try body() }
      throw error
    }
    return try body()
  }

  func state() throws(StoreError) -> RemoteState {
    try call("state") { () throws(StoreError) in try base.state() }
  }
  func moves(of ref: String, afterMicros: Int64) throws(StoreError) -> [RefStep] {
    try call("moves") { () throws(StoreError) in try base.moves(of: ref, afterMicros: afterMicros) }
  }
  func commits(from wanted: [CommitID], excluding: [CommitID]) throws(StoreError) -> [TransferObject] {
    try call("commits") { () throws(StoreError) in try base.commits(from: wanted, excluding: excluding) }
  }
  func missing(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey] {
    try call("missing") { () throws(StoreError) in try base.missing(keys) }
  }
  func objects(_ keys: [ObjectKey]) throws(StoreError) -> [TransferObject] {
    try call("objects") { () throws(StoreError) in try base.objects(keys) }
  }
  func bytes(of key: ObjectKey, _ range: Range<Int>) throws(StoreError) -> [UInt8] {
    var bytes = try call("bytes") { () throws(StoreError) in try base.bytes(of: key, range) }
    spoil?(&bytes)
    return bytes
  }
  func receivedByteCount(of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    try call("receivedByteCount") { () throws(StoreError) in try base.receivedByteCount(of: key, record) }
  }
  func receive(_ bytes: [UInt8], at offset: Int, of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    try call("receive") { () throws(StoreError) in try base.receive(bytes, at: offset, of: key, record) }
  }
  func register(_ objects: [TransferObject]) throws(StoreError) {
    try call("register") { () throws(StoreError) in try base.register(objects) }
  }
  func move(_ update: RefUpdate) throws(StoreError) -> RefUpdateOutcome {
    try call("move") { () throws(StoreError) in try base.move(update) }
  }
}

extension TestArchive {
  var remote: ArchiveRemote { ArchiveRemote(archive, location: "memory") }

  /// Everything that is stored, by kind: ids and, of files, content.
  var content: [String] {
    get throws {
      var found: [String] = []
      for path in volume.paths where path.hasSuffix(".parquet") {
        found.append("\(path) \(Hash256(bytes: Checksum.sha256(try volume.read(path))))")
      }
      let all = [UInt8](repeating: 255, count: 32)
      for kind in ObjectKind.allCases {
        for id in try catalog.objectIDs(kind: kind.rawValue, from: zeros, through: all, limit: 10_000) {
          found.append("\(kind.name) \(Hash256(bytes: id))")
        }
      }
      return found
    }
  }

  var packCount: Int { volume.paths.count { $0.hasPrefix("packs/") } }
  var incoming: [String] { volume.paths.filter { $0.hasPrefix("incoming/") } }

  /// A branch `main` of three commits that share leaves, the second with a tail; `side`, made from the first; and their merge.
  /// - Returns: first, second, side, merge.
  func makeHistory() throws -> [CommitID] {
    try archive.putVectorLeaves(0..<12)
    clock.micros += 1_000_000
    let first = try publish((0..<10).map(vectorLeaf), parents: [], to: "main", time: 1)
    clock.micros += 1_000_000
    let tail = TailID(bytes: Checksum.sha256(Array("tail".utf8)))
    try archive.putTail(tail, bytes: "a tail's file", digests: [9])
    let tails = TailList([TailEntry(id: tail, sequence: 1, parts: [TailPart(partition: 0, rowCount: 2, insertCount: 1, deleteCount: 0)])])
    let second = try publish((0..<10).map(vectorLeaf), tails: tails, parents: [first], to: "main", time: 2)
    let side = try publish((0..<11).map(vectorLeaf), parents: [first], to: "side", time: 3)
    clock.micros += 1_000_000
    let merge = try publish((0..<12).map(vectorLeaf), tails: tails, parents: [second, side], to: "main", time: 4)
    return [first, second, side, merge]
  }

  func publish(
    _ leaves: [LeafEntry], tails: TailList = TailList(), parents: [CommitID], to branch: String, time: Int64
  ) throws -> CommitID {
    var draft = archive.draft()
    let tree = draft.addPartitionTree(leaves)
    let rows = leaves.reduce(0) { $0 + $1.rowCount }
    let root = draft.addRoot(
      schema: ["a": "int64"], layout: ["leafRows": 4096], partitions: [PartitionEntry(number: 0, tree: tree, rowCount: rows)],
      tails: tails)
    let commit = Commit(
      parents: parents, datasets: ["t": DatasetRef(root: root, rows: rows + tails.addedRowCount)],
      definitions: draft.addBlob(Array("{}".utf8)), author: "a", message: "\(time)", timeMicros: time)
    let id = draft.addCommit(commit)
    let expecting = try archive.ref(named: branch)?.commit
    #expect(try archive.publish(&draft, commit: id, to: branch, expecting: expecting, reason: "commit \(time)") == .moved)
    return id
  }
}

extension Archive {
  func putTail(_ id: TailID, bytes: String, digests: [UInt8]) throws {
    try Array(bytes.utf8).withUnsafeBytes { try putTail(id, bytes: $0, digests: digests) }
  }
}
