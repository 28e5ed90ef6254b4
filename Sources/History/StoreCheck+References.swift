import Objects

/// Every reference, from the refs down, and what is touched by damage.
extension StoreCheck {
  /// Damage beneath an object: what is damaged, and how many rows of the object lie in it.
  private typealias Loss = [ObjectKey: Int]

  mutating func checkReferences() throws(StoreError) {
    let refs = try archive.refs()
    let expired = try archive.catalog.setting(Archive.expiredSetting).flatMap { Int64($0) } ?? .min
    for ref in refs where !isKnown(.commit, ref.commit.hash) {
      noteMissing(ObjectKey(kind: .commit, id: ref.commit.hash), namedBy: "ref \(ref.name)")
    }
    var moved: Set<Hash256> = []
    for move in try archive.reflog(nil) {
      for id in [move.old, move.new].compactMap({ $0 }) where moved.insert(id.hash).inserted {
        guard !isKnown(.commit, id.hash), !missing.contains(ObjectKey(kind: .commit, id: id.hash)) else { continue }
        // gc may take the commits of moves that were older than its retention.
        if move.timeMicros > expired { noteMissing(ObjectKey(kind: .commit, id: id.hash), namedBy: "a move of \(move.ref)") }
      }
    }
    var lossOfNode: [NodeID: Loss] = [:]
    var lossOfRoot: [RootID: Loss] = [:]
    var touches: [ObjectKey: [CheckReport.Touch]] = [:]
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
        if isLost(key) { touches[key, default: []].append(.init(commit: id, dataset: nil, rowCount: 0)) }
      }
      for (name, dataset) in commit.datasets.sorted(by: { $0.key < $1.key }) {
        let loss = loss(ofRoot: dataset, &lossOfRoot, &lossOfNode)
        for (key, rows) in loss { touches[key, default: []].append(.init(commit: id, dataset: name, rowCount: rows)) }
      }
    }
    note(touches)
  }

  private func isKnown(_ kind: ObjectKind, _ id: Hash256) -> Bool { records[ObjectKey(kind: kind, id: id)] != nil }

  private func isLost(_ key: ObjectKey) -> Bool { damaged.contains(key) || missing.contains(key) }

  private mutating func noteMissing(_ key: ObjectKey, namedBy owner: String) {
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

  private mutating func loss(
    ofRoot dataset: DatasetRef, _ known: inout [RootID: Loss], _ knownNodes: inout [NodeID: Loss]
  ) -> Loss {
    if let found = known[dataset.root] { return found }
    let key = ObjectKey(kind: .root, id: dataset.root.hash)
    if !isKnown(.root, key.id) { noteMissing(key, namedBy: "a commit") }
    var loss: Loss = [:]
    if isLost(key) {
      loss[key] = dataset.rows
    } else {
      do throws(StoreError) {
        let root = try archive.root(dataset.root)
        loss = self.loss(ofNode: root.partitions, kind: .partitions, parent: nil, rows: root.rowCount, &knownNodes)
        for tail in root.tails.entries {
          let tailKey = ObjectKey(kind: .tail, id: tail.id.hash)
          if !isKnown(.tail, tail.id.hash) { noteMissing(tailKey, namedBy: "root \(dataset.root)") }
          if let found = rowCounts[tailKey], found != tail.rowCount {
            damage(tailKey, path: Archive.path(of: tailKey), "root \(dataset.root) says \(tail.rowCount) rows, it has \(found)")
          }
          if isLost(tailKey) {
            loss[tailKey] = tail.rowCount
          } else if let tailCheck, checkedTails.insert(tail).inserted {
            do {
              for detail in try tailCheck(archive, dataset.root, tail) { damage(key, path: "packs", "tail \(tail.id): \(detail)") }
            } catch {
              damage(key, path: "packs", "tail \(tail.id) cannot be read as it says: \(error)")
            }
          }
        }
        // Counts that do not add up show only when all of it can be read.
        if loss.isEmpty {
          _ = try archive.partitions(of: dataset.root)
          if root.rowCount != dataset.rows {
            damage(key, path: "packs", "a commit says \(dataset.rows) rows, the root \(root.rowCount)")
          }
        }
      } catch {
        damage(key, path: "packs", error.text)
        loss[key] = dataset.rows
      }
    }
    known[dataset.root] = loss
    return loss
  }

  private mutating func loss(
    ofNode id: NodeID, kind: Node.Kind, parent: (level: Int, rowCount: Int)?, rows: Int, _ known: inout [NodeID: Loss]
  ) -> Loss {
    if let found = known[id] { return found }
    let key = ObjectKey(kind: .node, id: id.hash)
    if !isKnown(.node, id.hash) { noteMissing(key, namedBy: "a root or node") }
    var loss: Loss = [:]
    if isLost(key) {
      loss[key] = rows
    } else {
      do throws(StoreError) {
        let node = try archive.node(id, kind: kind, parent: parent)
        for entry in node.entries {
          if node.level > 1 || kind == .partitions {
            let isTop = node.level == 1
            let beneath = self.loss(
              ofNode: NodeID(hash: entry.child), kind: isTop ? .leaves : kind,
              parent: isTop ? nil : (node.level, entry.rowCount), rows: entry.rowCount, &known)
            loss.merge(beneath) { $0 + $1 }
            continue
          }
          let leaf = ObjectKey(kind: .leaf, id: entry.child)
          if !isKnown(.leaf, leaf.id) { noteMissing(leaf, namedBy: "node \(id)") }
          if let found = rowCounts[leaf], found != entry.rowCount, !damaged.contains(leaf) {
            damage(leaf, path: Archive.path(of: leaf), "node \(id) says \(entry.rowCount) rows, it has \(found)")
          }
          if isLost(leaf) { loss[leaf, default: 0] += entry.rowCount }
        }
      } catch {
        damage(key, path: "packs", error.text)
        loss[key] = rows
      }
    }
    known[id] = loss
    return loss
  }

  private mutating func note(_ touches: [ObjectKey: [CheckReport.Touch]]) {
    let byName = Dictionary(
      touches.map { ("\($0.key.kind.name) \($0.key.id)", $0.value) }, uniquingKeysWith: { $0 + $1 })
    for index in report.problems.indices { report.problems[index].touches = byName[report.problems[index].object] ?? [] }
  }
}
