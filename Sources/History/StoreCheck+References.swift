import Objects

/// Every reference, from the refs down, and what is touched by damage.
extension StoreCheck {
  mutating func checkReferences() throws(StoreError) {
    let expired = survey.settings[Archive.expiredSetting].flatMap { Int64($0) } ?? .min
    for ref in refs.values.sorted(by: { $0.name < $1.name }) {
      let commit = ObjectKey(kind: .commit, id: Hash256(bytes: ref.target))
      if !isKnown(.commit, commit.id) { noteMissing(commit, namedBy: "ref \(ref.name)") }
    }
    var moved: Set<[UInt8]> = []
    for move in survey.moves {
      for id in [move.old, move.new].compactMap({ $0 }) where moved.insert(id).inserted {
        let commit = ObjectKey(kind: .commit, id: Hash256(bytes: id))
        guard !isKnown(.commit, commit.id), !missing.contains(commit) else { continue }
        // gc may take the commits of moves that were older than its retention.
        if move.timeMicros > expired { noteMissing(commit, namedBy: "a move of \(move.ref)") }
      }
    }
    var trees = TreeFindings()
    var touches: [ObjectKey: [CheckReport.Touch]] = [:]
    // Versions that can be read, in the order in which commits are looked at, and who has them.
    var soundRoots: [RootID] = []
    var uses: [RootID: [(commit: CommitID, dataset: String)]] = [:]
    for key in commitsNewestFirst() {
      let id = CommitID(hash: key.id)
      if damaged.contains(key) {
        touches[key, default: []].append(.init(commit: id, dataset: nil, rowCount: 0))
        continue
      }
      let commit: Commit
      do throws(StoreError) {
        commit = try archive.commit(id)
      } catch {
        damage(key, path: "packs", error.text)
        continue
      }
      for parent in commit.parents where !isKnown(.commit, parent.hash) {
        noteMissing(ObjectKey(kind: .commit, id: parent.hash), namedBy: "commit \(id)")
      }
      for blob in [commit.definitions, commit.verdicts].compactMap({ $0 }) {
        let key = ObjectKey(kind: .blob, id: blob.hash)
        if !isKnown(.blob, blob.hash) { noteMissing(key, namedBy: "commit \(id)") }
        if isLost(key) || holdsSomethingElse(blob, of: commit, id) {
          touches[key, default: []].append(.init(commit: id, dataset: nil, rowCount: 0))
        }
      }
      for (name, dataset) in commit.datasets.sorted(by: { $0.key < $1.key }) {
        let finding = finding(of: dataset, &trees)
        for (object, rows) in finding.loss.merging(finding.claims, uniquingKeysWith: { $0 + $1 }) {
          touches[object, default: []].append(.init(commit: id, dataset: name, rowCount: rows))
        }
        if let found = finding.rowCount, found != dataset.rows {
          let detail = "it says that dataset \(name) has \(dataset.rows) rows, root \(dataset.root) has \(found)"
          report.add(.init(.damage, "commit \(id)", path: "packs", detail))
          touches[key, default: []].append(.init(commit: id, dataset: name, rowCount: dataset.rows))
        }
        guard finding.loss.isEmpty else { continue }
        if uses[dataset.root] == nil { soundRoots.append(dataset.root) }
        uses[dataset.root, default: []].append((id, name))
      }
    }
    for finding in findings(in: soundRoots) {
      report.add(.init(.damage, "\(finding.key.kind.name) \(finding.key.id)", path: finding.path, finding.detail))
      for root in soundRoots {
        guard let rows = finding.touches[root] else { continue }
        for use in uses[root] ?? [] {
          touches[finding.key, default: []].append(.init(commit: use.commit, dataset: use.dataset, rowCount: rows))
        }
      }
    }
    note(touches)
  }

  /// What is wrong with rows, as those say who know them.
  private mutating func findings(in roots: [RootID]) -> [ContentFinding] {
    guard let versions = contents.versions, !roots.isEmpty else { return [] }
    do {
      return try versions(archive, roots)
    } catch {
      report.add(.init(.damage, "the rows of \(roots.count) dataset versions", path: "", "they cannot be checked: \(error)"))
      return []
    }
  }

  /// Whether the definitions or verdicts of a commit, whose bytes are intact, are none; each blob is looked at once.
  private mutating func holdsSomethingElse(_ blob: BlobID, of commit: Commit, _ id: CommitID) -> Bool {
    if let known = checkedBlobs[blob] { return known }
    let key = ObjectKey(kind: .blob, id: blob.hash)
    guard !isLost(key) else { return false }
    let isDefinitions = blob == commit.definitions
    do {
      if let check = isDefinitions ? contents.definitions : contents.verdicts { try check(archive.blob(blob)) }
      checkedBlobs[blob] = false
      return false
    } catch {
      let role = isDefinitions ? "definitions" : "verdicts"
      report.add(.init(.damage, "blob \(blob)", path: "packs", "commit \(id) names it as its \(role), and it holds none: \(error)"))
      checkedBlobs[blob] = true
      return true
    }
  }

  func isKnown(_ kind: ObjectKind, _ id: Hash256) -> Bool { records[ObjectKey(kind: kind, id: id)] != nil }

  func isLost(_ key: ObjectKey) -> Bool { damaged.contains(key) || missing.contains(key) }

  mutating func noteMissing(_ key: ObjectKey, namedBy owner: String) {
    guard missing.insert(key).inserted else { return }
    report.add(.init(.damage, "\(key.kind.name) \(key.id)", path: "", "\(owner) names it and it is not stored"))
  }

  private func commitsNewestFirst() -> [ObjectKey] {
    var timed: [(key: ObjectKey, time: Int64)] = []
    for key in records.keys where key.kind == .commit {
      timed.append((key, (try? archive.commit(CommitID(hash: key.id)))?.timeMicros ?? .max))
    }
    return timed.sorted { ($0.time, $0.key.id) > ($1.time, $1.key.id) }.map(\.key)
  }

  private mutating func note(_ touches: [ObjectKey: [CheckReport.Touch]]) {
    let byName = Dictionary(
      touches.map { ("\($0.key.kind.name) \($0.key.id)", $0.value) }, uniquingKeysWith: { $0 + $1 })
    for index in report.problems.indices { report.problems[index].touches = byName[report.problems[index].object] ?? [] }
  }
}
