import Objects

/// What a transfer moved.
package struct TransferReport: Hashable, Sendable {
  package var commitCount = 0
  /// Of all kinds, with the records of files.
  package var objectCount = 0
  package var objectByteCount = 0
  /// Files that did not travel whole before.
  package var fileCount = 0
  /// What travelled of files, without what had arrived before.
  package var fileByteCount = 0

  package init() {}
}

/// Copies commits with everything beneath them from one repository to another, and only what the other lacks.
///
/// Commits are walked from the newest until the target has them; below a commit, nodes and leaves that the target has are
/// skipped with all that is beneath. What arrives is registered from the bottom up, so that at every moment whatever the target
/// has is whole; a transfer that was interrupted goes on where it stopped when it is done again, in the middle of a file too.
/// Memory: commits that travel, and the nodes and file records of `commitCountMax` of them; one piece of a file.
package struct Transfer {
  package let source: any Remote
  package let target: any Remote
  private let progress: (@Sendable (_ doneByteCount: Int, _ totalByteCount: Int) -> Void)?
  private(set) var report = TransferReport()

  /// Commits whose trees are compared together.
  static let commitCountMax = 64
  /// The piece in which files travel: long enough that a round trip does not show, short enough for memory.
  package static let pieceByteCountMax = 8 << 20
  /// Files are registered when so much of them is waiting, so that little is left to check at the end.
  static let fileByteCountMax = 256 << 20
  /// So often a target may refuse a piece of a file before the transfer ends.
  static let stallCountMax = 8
  /// Packs that travel are about so long, less than `ArchiveRemote.objectByteCountMax` doubled.
  static let packByteCountMax = 4 << 20
  /// So many ids are asked for at once.
  static let keyCountMax = 10_000

  package init(
    from source: any Remote, to target: any Remote,
    progress: (@Sendable (_ doneByteCount: Int, _ totalByteCount: Int) -> Void)? = nil
  ) {
    self.source = source
    self.target = target
    self.progress = progress
  }

  /// Copies the commits and all that they reach.
  /// - Throws: `notFound` when the source lacks something; `corrupt` when something arrived that is not what its id names; `io`.
  /// - Complexity: one round trip for each level of the trees that differ, for each `pieceByteCountMax` of a file and for each
  ///   `packByteCountMax` of other objects, for every `commitCountMax` commits.
  package mutating func copy(_ tips: [CommitID]) throws(StoreError) -> TransferReport {
    let commits = try missingCommits(from: tips)
    report.commitCount = commits.count
    var start = 0
    while start < commits.count {
      let end = min(start + Self.commitCountMax, commits.count)
      try copyGroup(Array(commits[start..<end]))
      start = end
    }
    return report
  }

  // MARK: Commits

  /// Commits that the target lacks, each after those it comes from.
  private func missingCommits(from tips: [CommitID]) throws(StoreError) -> [TransferObject] {
    func key(_ id: CommitID) -> ObjectKey { ObjectKey(kind: .commit, id: id.hash) }
    var wanted = try missing(unique(tips.map(key)))
    guard !wanted.isEmpty else { return [] }
    let known = try target.state().refs.map(\.commit)
    var found: [ObjectKey: (object: TransferObject, parents: [ObjectKey])] = [:]
    while !wanted.isEmpty {
      let arrived = try source.commits(from: wanted.map { CommitID(hash: $0.id) }, excluding: known)
      var new: [(object: TransferObject, parents: [ObjectKey])] = []
      for object in arrived where object.key.kind == .commit && found[object.key] == nil {
        try object.verify()
        new.append((object, try object.references().filter { $0.kind == .commit }))
      }
      let absent = Set(try missing(unique(new.flatMap { [$0.object.key] + $0.parents }.filter { found[$0] == nil })))
      for item in new where absent.contains(item.object.key) { found[item.object.key] = item }
      let before = wanted
      wanted = unique(before + new.flatMap(\.parents)).filter { found[$0] == nil && (absent.contains($0) || before.contains($0)) }
      guard wanted != before else {
        throw StoreError(kind: .notFound, text: "Cannot copy commit \(before[0].id): \(source.location) does not give it")
      }
    }
    // From the oldest: a commit after its parents.
    var ordered: [TransferObject] = []
    var done: Set<ObjectKey> = []
    for tip in found.keys.sorted(by: { $0.id < $1.id }) {
      var open = [tip]
      while let next = open.last {
        let before = (found[next]?.parents ?? []).filter { found[$0] != nil && !done.contains($0) }
        if before.isEmpty || done.contains(next) {
          open.removeLast()
          if done.insert(next).inserted, let item = found[next] { ordered.append(item.object) }
        } else {
          open += before
        }
      }
    }
    return ordered
  }

  // MARK: Below commits

  private mutating func copyGroup(_ commits: [TransferObject]) throws(StoreError) {
    var contents: [ObjectKey] = []
    for commit in commits { contents += try commit.references().filter { $0.kind != .commit } }
    let upper = try objects(missing(unique(contents)))
    var next: [ObjectKey] = []
    for object in upper { next += try object.references() }
    var nodes: [TransferObject] = []
    var fileKeys: [ObjectKey] = []
    var seen: Set<ObjectKey> = []
    while !next.isEmpty {
      let absent = try missing(unique(next).filter { seen.insert($0).inserted })
      fileKeys += absent.filter(\.kind.hasOwnFile)
      let level = try objects(absent.filter { !$0.kind.hasOwnFile })
      next = []
      for node in level { next += try node.references() }
      nodes += level
    }
    let waiting = try copyFiles(objects(fileKeys))
    var ranked: [(rank: Int, object: TransferObject)] = []
    for object in nodes + upper { ranked.append((try object.rank, object)) }
    // `sorted` keeps the order of equals.
    try register(waiting + ranked.sorted { $0.rank < $1.rank }.map(\.object) + commits)
  }

  /// Copies files. - Returns: the records of those that are not registered yet.
  private mutating func copyFiles(_ records: [TransferObject]) throws(StoreError) -> [TransferObject] {
    var files: [(object: TransferObject, record: FileRecord)] = []
    for object in records { files.append((object, try FileRecord(decoding: object.bytes, object: object.name))) }
    let total = files.reduce(0) { $0 + $1.record.byteCount }
    var done = 0
    var waiting: [TransferObject] = []
    var waitingByteCount = 0
    for (object, record) in files {
      try copyFile(object.key, record, done: done, total: total)
      done += record.byteCount
      waiting.append(object)
      waitingByteCount += record.byteCount
      if waitingByteCount >= Self.fileByteCountMax {
        try register(waiting)
        waiting = []
        waitingByteCount = 0
      }
    }
    return waiting
  }

  private mutating func copyFile(_ key: ObjectKey, _ record: FileRecord, done: Int, total: Int) throws(StoreError) {
    var received = try target.receivedByteCount(of: key, record)
    if received < record.byteCount { report.fileCount += 1 }
    var stallCount = 0
    while received < record.byteCount {
      let range = received..<min(received + Self.pieceByteCountMax, record.byteCount)
      let bytes = try source.bytes(of: key, range)
      guard bytes.count == range.count else {
        throw StoreError(
          kind: .corrupt,
          text: "Cannot copy \(key.kind.name) \(key.id): expected bytes \(range) from \(source.location), found \(bytes.count) bytes")
      }
      received = try target.receive(bytes, at: range.lowerBound, of: key, record)
      // Another transfer may be sending the same file; a target that never has more is out of order.
      stallCount = received > range.lowerBound ? 0 : stallCount + 1
      guard stallCount < Self.stallCountMax else {
        throw StoreError(
          kind: .invalid, text: "Cannot copy \(key.kind.name) \(key.id): \(target.location) does not take byte \(range.lowerBound)")
      }
      report.fileByteCount += bytes.count
      progress?(done + received, total)
    }
  }

  private mutating func register(_ objects: [TransferObject]) throws(StoreError) {
    var pack: [TransferObject] = []
    var byteCount = 0
    for (index, object) in objects.enumerated() {
      pack.append(object)
      byteCount += object.bytes.count
      guard byteCount >= Self.packByteCountMax || index == objects.count - 1 else { continue }
      try target.register(pack)
      report.objectCount += pack.count
      report.objectByteCount += byteCount
      pack = []
      byteCount = 0
    }
  }

  // MARK: Asking

  private func missing(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey] {
    var absent: [ObjectKey] = []
    for piece in Self.pieces(keys) { absent += try target.missing(piece) }
    return absent
  }

  /// The objects, all of them.
  private func objects(_ keys: [ObjectKey]) throws(StoreError) -> [TransferObject] {
    var found: [TransferObject] = []
    while found.count < keys.count {
      let asked = Array(keys[found.count..<min(found.count + Self.keyCountMax, keys.count)])
      let arrived = try source.objects(asked)
      guard !arrived.isEmpty, arrived.count <= asked.count, zip(arrived, asked).allSatisfy({ $0.key == $1 }) else {
        throw StoreError(
          kind: .corrupt, text: "Cannot copy \(asked[0].kind.name) \(asked[0].id): \(source.location) sent other objects than asked for")
      }
      for object in arrived { try object.verify() }
      found += arrived
    }
    return found
  }

  private static func pieces(_ keys: [ObjectKey]) -> [[ObjectKey]] {
    stride(from: 0, to: keys.count, by: keyCountMax).map { Array(keys[$0..<min($0 + keyCountMax, keys.count)]) }
  }

  private func unique(_ keys: [ObjectKey]) -> [ObjectKey] {
    var seen: Set<ObjectKey> = []
    return keys.filter { seen.insert($0).inserted }
  }
}
