import Objects
import Testing

@testable import History

/// Trees that say what is not so, though every node is the one that its id names.
@Suite struct TreeCheckTests {
  private let leafCount = 1200

  /// Nodes over the vector leaves, from the bottom, with the top one last.
  private func nodes() -> [Node] {
    let entries = (0..<leafCount).map { vectorLeaf($0).nodeEntry }
    return TreeBuilder.nodes(kind: .leaves, over: entries).map(\.node)
  }

  private func id(_ node: Node) -> NodeID { NodeID(bytes: Checksum.sha256(node.encoded)) }

  /// A store with a tree over the vector leaves, and on top of it a commit whose tree has other nodes.
  /// - Parameter rowCount: what the partition says of its rows.
  /// - Returns: what a check finds, without ids.
  private func problems(_ nodes: [Node], rowCount: Int) throws -> [String] {
    let test = try TestArchive()
    let archive = test.archive
    try archive.putVectorLeaves(0..<leafCount)
    var (draft, first) = archive.draftCommit((0..<leafCount).map(vectorLeaf))
    #expect(try archive.publish(&draft, commit: first, to: "main", expecting: nil, reason: "sound") == .moved)
    #expect(try archive.check(decoder: nil).problems == [])
    draft = archive.draft()
    for node in nodes { draft.insert(Draft.Object(kind: .node, id: id(node).hash, bytes: node.encoded, references: [])) }
    let top = try #require(nodes.last)
    let root = draft.addRoot(
      schema: ["a": "int64"], layout: ["leafRows": 4096], partitions: [PartitionEntry(number: 0, tree: id(top), rowCount: rowCount)])
    let second = draft.addCommit(
      Commit(
        parents: [first], datasets: ["t": DatasetRef(root: root, rows: rowCount)], definitions: draft.addBlob(Array("{}".utf8)),
        author: "a", message: "m", timeMicros: 2))
    #expect(try archive.publish(&draft, commit: second, to: "main", expecting: first, reason: "forged") == .moved)
    let found = try test.reopened().check(decoder: nil).problems
    for problem in found { #expect(problem.touches.map(\.commit) == [second] && problem.touches[0].dataset == "t", "\(problem)") }
    return found.map { problem in
      problem.detail.split(separator: " ").map { $0.count >= 64 && $0.prefix(64).allSatisfy(\.isHexDigit) ? "ID" : String($0) }
        .joined(separator: " ")
    }
  }

  private func hex(_ number: Int) -> String {
    key(number).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Nodes with one of them in another form, and those above it as they then are.
  private func replacing(_ index: Int, _ change: (inout [Node.Entry]) -> Void) -> [Node] {
    var all = nodes()
    #expect(all.last?.level == 2)
    let old = all[index]
    var entries = old.entries
    change(&entries)
    all[index] = Node(kind: old.kind, level: old.level, entries: entries)
    guard index < all.count - 1, let top = all.last else { return all }
    all[all.count - 1] = Node(
      kind: top.kind, level: top.level,
      entries: top.entries.map { entry in
        guard entry.child == id(old).hash else { return entry }
        return Node.Entry(
          firstKey: entries.first?.firstKey ?? [], lastKey: entries.last?.lastKey ?? [], rowCount: all[index].rowCount,
          child: id(all[index]).hash)
      })
    return all
  }

  @Test func aParentThatNamesOtherKeysIsNoticed() throws {
    let first = nodes()[0]
    let forged = replacing(nodes().count - 1) { entries in
      entries[0] = Node.Entry(firstKey: key(-7), lastKey: entries[0].lastKey, rowCount: entries[0].rowCount, child: entries[0].child)
    }
    let last = first.entries.count * 2 - 1
    #expect(
      try problems(forged, rowCount: 2 * leafCount) == [
        "node ID is not what it says: expected keys \(hex(-7)) to \(hex(last)), found \(hex(0)) to \(hex(last))"
      ])
  }

  @Test func aParentThatMiscountsIsNoticed() throws {
    let rows = nodes()[0].rowCount
    let forged = replacing(nodes().count - 1) { entries in
      entries[0] = Node.Entry(firstKey: entries[0].firstKey, lastKey: entries[0].lastKey, rowCount: rows + 3, child: entries[0].child)
    }
    #expect(
      try problems(forged, rowCount: 2 * leafCount + 3) == ["node ID is not what it says: expected \(rows + 3) rows, found \(rows)"])
  }

  /// Neither the partition nor the root nor the commit counts what is not there.
  @Test func aPartitionThatClaimsMoreRowsIsNoticed() throws {
    #expect(
      try problems(nodes(), rowCount: 9_999_999)
        == ["node ID is not what it says: expected 9999999 rows, found \(2 * leafCount)"])
  }

  @Test func entriesOutOfOrderAreNoticed() throws {
    let forged = replacing(1) { $0.swapAt(3, 4) }
    #expect(try problems(forged, rowCount: 2 * leafCount) == ["the keys of its entry 5 do not ascend"])
  }

  @Test func aLeafThatIsNamedTwiceIsNoticed() throws {
    let leaf = vectorLeaf(5)
    let forged = replacing(0) { entries in
      let entry = entries[6]
      entries[6] = Node.Entry(firstKey: entry.firstKey, lastKey: entry.lastKey, rowCount: entry.rowCount, child: leaf.id.hash)
    }
    #expect(try problems(forged, rowCount: 2 * leafCount) == ["it names leaf ID twice"])
  }

  @Test func nodesThatAreCutElsewhereAreNoticed() throws {
    // One node that ends an entry too early: what it lacks begins the next.
    var all = nodes()
    guard let top = all.last, all.count > 3 else { return }
    let (a, b) = (all[0], all[1])
    let parts = [
      Node(kind: .leaves, level: 1, entries: Array(a.entries.dropLast())),
      Node(kind: .leaves, level: 1, entries: Array(a.entries.suffix(1)) + b.entries),
    ]
    let entries = parts.map { part in
      Node.Entry(
        firstKey: part.entries[0].firstKey, lastKey: part.entries[part.entries.count - 1].lastKey, rowCount: part.rowCount,
        child: id(part).hash)
    }
    all.replaceSubrange(0..<2, with: parts)
    all[all.count - 1] = Node(kind: .leaves, level: 2, entries: entries + top.entries.dropFirst(2))
    #expect(try problems(all, rowCount: 2 * leafCount) == ["its node ID ends where no node ends"])
    // All of it in one node that goes on where it ends.
    let whole = Node(kind: .leaves, level: 1, entries: a.entries + b.entries.prefix(10))
    #expect(
      try problems([whole], rowCount: whole.rowCount) == ["it goes on behind its entry \(a.entries.count), where a node ends"])
  }

  /// Two commits of one root, one of which counts other rows.
  @Test func aCommitThatClaimsMoreRowsIsNoticed() throws {
    let test = try TestArchive()
    let first = try test.archive.publishChain(["first"])[0]
    let root = try #require(try test.archive.commit(first).datasets["t"]?.root)
    var draft = test.archive.draft()
    let second = draft.addCommit(
      Commit(
        parents: [first], datasets: ["t": DatasetRef(root: root, rows: 7)], definitions: draft.addBlob(Array("{}".utf8)), author: "a",
        message: "m", timeMicros: 9))
    #expect(try test.archive.publish(&draft, commit: second, to: "main", expecting: first, reason: "forged") == .moved)
    let problems = try test.archive.check(decoder: nil).problems
    #expect(problems.map(\.object) == ["commit \(second)"])
    #expect(problems.map(\.detail) == ["it says that dataset t has 7 rows, root \(root) has 2"])
    #expect(problems.map(\.touches) == [[.init(commit: second, dataset: "t", rowCount: 7)]])
  }

  @Test func definitionsAndVerdictsThatAreNoneAreNoticed() throws {
    let test = try TestArchive()
    let first = try test.archive.publishChain(["first"])[0]
    var draft = test.archive.draft()
    let (definitions, verdicts) = (draft.addBlob(Array("no".utf8)), draft.addBlob(Array("nor".utf8)))
    let second = draft.addCommit(
      Commit(
        parents: [first], datasets: [:], definitions: definitions, author: "a", message: "m", timeMicros: 9, verdicts: verdicts))
    #expect(try test.archive.publish(&draft, commit: second, to: "main", expecting: first, reason: "forged") == .moved)
    let expectsObject: @Sendable ([UInt8]) throws -> Void = { bytes in
      guard bytes.first == UInt8(ascii: "{") else { throw StoreError(kind: .corrupt, text: "expected {") }
    }
    let report = try test.archive.check(
      decoder: nil, contents: ContentCheck(definitions: expectsObject, verdicts: expectsObject))
    #expect(report.problems.map(\.object) == ["blob \(definitions)", "blob \(verdicts)"])
    #expect(
      report.problems.map(\.detail) == [
        "commit \(second) names it as its definitions, and it holds none: expected {",
        "commit \(second) names it as its verdicts, and it holds none: expected {",
      ])
    #expect(
      report.problems.map(\.touches) == [
        [.init(commit: second, dataset: nil, rowCount: 0)], [.init(commit: second, dataset: nil, rowCount: 0)],
      ])
  }
}
