import Objects

/// Roots, and the trees beneath them: what is lost in them, and what they say that is not so.
extension StoreCheck {
  /// Damage beneath an object: what is damaged, and how many rows of the object lie in it.
  typealias Loss = [ObjectKey: Int]

  struct RootFinding {
    /// What of it cannot be read.
    var loss: Loss = [:]
    /// What can be read, and is not as it says.
    var claims: Loss = [:]
    /// Nil when it cannot be read.
    var rowCount: Int?
  }

  /// What has been found of roots and nodes, which commits share.
  struct TreeFindings {
    fileprivate var roots: [RootID: RootFinding] = [:]
    fileprivate var nodes: [NodeID: NodeFinding] = [:]
  }

  fileprivate struct NodeFinding {
    var loss: Loss = [:]
    /// What can be read, and is not as it should be.
    var claims: Loss = [:]
    /// Nil when it cannot be read.
    var shape: NodeShape?
  }

  /// What a node is, whatever those say who name it.
  fileprivate struct NodeShape {
    let kind: Node.Kind
    let level: Int
    let rowCount: Int
    /// Of the first and the last entry; nil without entries.
    let firstKey: [UInt8]?
    let lastKey: [UInt8]?
    /// Whether it and all nodes on its right edge end where the rule of cuts ends a node.
    let endsAtCut: Bool
  }

  mutating func finding(of dataset: DatasetRef, _ known: inout TreeFindings) -> RootFinding {
    if let found = known.roots[dataset.root] { return found }
    let key = ObjectKey(kind: .root, id: dataset.root.hash)
    if !isKnown(.root, key.id) { noteMissing(key, namedBy: "a commit") }
    var finding = RootFinding()
    if isLost(key) {
      finding.loss[key] = dataset.rows
    } else {
      do throws(StoreError) {
        let root = try archive.root(dataset.root)
        finding.rowCount = root.rowCount
        let top = self.finding(of: root.partitions, rows: root.rowCount, namedBy: "root \(dataset.root)", &known)
        (finding.loss, finding.claims) = (top.loss, top.claims)
        if let shape = top.shape, shape.kind != .partitions {
          claim(key, "node \(root.partitions) is no tree over partitions", rows: root.rowCount, &finding.loss)
        }
        for tail in root.tails.entries { look(at: tail, of: dataset.root, root, &finding) }
        // Counts that do not add up show only when all of it can be read.
        if finding.loss.isEmpty { _ = try archive.partitions(of: dataset.root) }
      } catch {
        damage(key, path: "packs", error.text)
        finding.loss[key] = dataset.rows
      }
    }
    known.roots[dataset.root] = finding
    return finding
  }

  private mutating func look(at tail: TailEntry, of id: RootID, _ root: Root, _ finding: inout RootFinding) {
    let (key, tailKey) = (ObjectKey(kind: .root, id: id.hash), ObjectKey(kind: .tail, id: tail.id.hash))
    if !isKnown(.tail, tail.id.hash) { noteMissing(tailKey, namedBy: "root \(id)") }
    if isLost(tailKey) {
      finding.loss[tailKey] = tail.rowCount
    } else if let found = rowCounts[tailKey], found != tail.rowCount {
      claim(key, "tail \(tail.id): expected \(tail.rowCount) rows, found \(found)", rows: root.rowCount, &finding.loss)
    } else if let tailCheck, checkedTails.insert(tail).inserted {
      do {
        for detail in try tailCheck(archive, id, tail) { claim(key, "tail \(tail.id): \(detail)", rows: root.rowCount, &finding.claims) }
      } catch {
        claim(key, "tail \(tail.id) cannot be read as it says: \(error)", rows: root.rowCount, &finding.loss)
      }
    }
  }

  /// Notes that an object whose bytes are intact says what is not so: there is no good copy of it anywhere.
  private mutating func claim(_ key: ObjectKey, _ detail: String, rows: Int, _ loss: inout Loss) {
    report.add(.init(.damage, "\(key.kind.name) \(key.id)", path: "packs", detail))
    loss[key] = rows
  }

  /// - Parameter rows: those that lie beneath, as the one says who names it.
  private mutating func finding(of id: NodeID, rows: Int, namedBy owner: String, _ known: inout TreeFindings) -> NodeFinding {
    if let found = known.nodes[id] { return found }
    let key = ObjectKey(kind: .node, id: id.hash)
    if !isKnown(.node, id.hash) { noteMissing(key, namedBy: owner) }
    var finding = NodeFinding()
    if isLost(key) {
      finding.loss[key] = rows
    } else {
      do throws(StoreError) {
        let node = try archive.node(id)
        let isRightEdgeCut = look(beneath: node, id, &finding, &known)
        if let index = node.disorderedEntry { claim(key, "the keys of its entry \(index + 1) do not ascend", rows: rows, &finding.claims) }
        let rule = CutRule(level: UInt64(node.level), targetRowCount: Node.targetEntryCount)
        if let index = node.entries.indices.dropLast().first(where: {
          rule.isCut(keyBytes: node.entries[$0].lastKey, rowsIncludingThis: $0 + 1)
        }) {
          claim(key, "it goes on behind its entry \(index + 1), where a node ends", rows: rows, &finding.claims)
        }
        let ends = node.entries.last.map { rule.isCut(keyBytes: $0.lastKey, rowsIncludingThis: node.entries.count) } ?? false
        finding.shape = NodeShape(
          kind: node.kind, level: node.level, rowCount: node.rowCount, firstKey: node.entries.first?.firstKey,
          lastKey: node.entries.last?.lastKey, endsAtCut: ends && isRightEdgeCut)
      } catch {
        damage(key, path: "packs", error.text)
        finding.loss[key] = rows
      }
    }
    known.nodes[id] = finding
    return finding
  }

  /// Looks at what a node names. - Returns: whether its last node ends where the rule of cuts ends one.
  private mutating func look(beneath node: Node, _ id: NodeID, _ finding: inout NodeFinding, _ known: inout TreeFindings) -> Bool {
    let key = ObjectKey(kind: .node, id: id.hash)
    var children: Set<Hash256> = []
    var isCut = true
    for (index, entry) in node.entries.enumerated() {
      let namesNode = node.level > 1 || node.kind == .partitions
      if !children.insert(entry.child).inserted {
        claim(key, "it names \(namesNode ? "node" : "leaf") \(entry.child) twice", rows: node.rowCount, &finding.claims)
      }
      guard namesNode else {
        lookAtLeaf(entry, namedBy: id, &finding.loss)
        continue
      }
      let beneath = self.finding(of: NodeID(hash: entry.child), rows: entry.rowCount, namedBy: "node \(id)", &known)
      finding.loss.merge(beneath.loss) { $0 + $1 }
      finding.claims.merge(beneath.claims) { $0 + $1 }
      guard let shape = beneath.shape else { continue }
      if let detail = Self.difference(between: entry, in: node, and: shape) {
        claim(key, "node \(entry.child) is not what it says: \(detail)", rows: node.rowCount, &finding.loss)
      } else if let detail = Self.keyDifference(between: entry, in: node, and: shape) {
        claim(key, "node \(entry.child) is not what it says: \(detail)", rows: node.rowCount, &finding.claims)
      }
      // The trees of partitions end where their partition does.
      guard node.level > 1 else { continue }
      if index == node.entries.count - 1 {
        isCut = shape.endsAtCut
      } else if !shape.endsAtCut {
        claim(key, "its node \(entry.child) ends where no node ends", rows: node.rowCount, &finding.claims)
      }
    }
    return isCut
  }

  private mutating func lookAtLeaf(_ entry: Node.Entry, namedBy id: NodeID, _ loss: inout Loss) {
    let leaf = ObjectKey(kind: .leaf, id: entry.child)
    if !isKnown(.leaf, leaf.id) { noteMissing(leaf, namedBy: "node \(id)") }
    if let found = rowCounts[leaf], found != entry.rowCount, !isLost(leaf) {
      let key = ObjectKey(kind: .node, id: id.hash)
      claim(key, "leaf \(entry.child) is not what it says: expected \(entry.rowCount) rows, found \(found)", rows: entry.rowCount, &loss)
    }
    if isLost(leaf) { loss[leaf, default: 0] += entry.rowCount }
  }

  /// What an entry says of a node that is not so, and keeps it from being read; nil when all of it is.
  private static func difference(between entry: Node.Entry, in node: Node, and child: NodeShape) -> String? {
    let isPartition = node.level == 1
    let kind: Node.Kind = isPartition ? .leaves : node.kind
    guard child.kind == kind else { return "expected a tree over \(kind), found one over \(child.kind)" }
    if !isPartition, child.level != node.level - 1 { return "expected level \(node.level - 1), found level \(child.level)" }
    if child.rowCount != entry.rowCount { return "expected \(entry.rowCount) rows, found \(child.rowCount)" }
    return nil
  }

  /// What an entry says of the keys of a node that is not so; nil when it is.
  private static func keyDifference(between entry: Node.Entry, in node: Node, and child: NodeShape) -> String? {
    if node.level == 1 {
      guard entry.firstKey.count == 8, entry.firstKey == entry.lastKey else { return "expected the number of a partition as both keys" }
      return child.rowCount > 0 ? nil : "it is a partition without rows"
    }
    guard child.firstKey == entry.firstKey, child.lastKey == entry.lastKey else {
      return "expected keys \(text(entry.firstKey)) to \(text(entry.lastKey)), found "
        + "\(child.firstKey.map(text) ?? "none") to \(child.lastKey.map(text) ?? "none")"
    }
    return nil
  }

  /// The bytes of a key in hexadecimal digits, the first 32 of a long one.
  private static func text(_ key: [UInt8]) -> String {
    var digits: [UInt8] = []
    for byte in key.prefix(32) { digits += [Hex.digits[Int(byte >> 4)], Hex.digits[Int(byte & 15)]] }
    return String(decoding: digits, as: UTF8.self) + (key.count > 32 ? "…" : "")
  }
}
