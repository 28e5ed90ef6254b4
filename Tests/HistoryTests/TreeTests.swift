import JSON
import Objects
import Testing

@testable import History

@Suite struct TreeTests {
  private func tree(_ leaves: [LeafEntry]) -> (id: NodeID, nodes: [(id: NodeID, node: Node, bytes: [UInt8])]) {
    let nodes = TreeBuilder.nodes(
      kind: .leaves,
      over: leaves.map { Node.Entry(firstKey: $0.firstKey, lastKey: $0.lastKey, rowCount: $0.rowCount, child: $0.id.hash) })
    return (nodes[nodes.count - 1].id, nodes)
  }

  /// The numbers of docs/format/repository.md.
  @Test func idsOfTheTestVectors() {
    #expect(tree([]).id.hex == "698ae3aea4dec2a8d36d2a7bcaf943bc1ea0de910bcaabac7c67d92acf6f96dd")
    #expect(tree([vectorLeaf(0)]).id.hex == "d693ac3e73ab6c0d5a04eccd22c62669790dc1f5cf53a6f3c21c3787cff5a2a7")
    #expect(tree((0..<1000).map(vectorLeaf)).id.hex == "f5cd062a5c66ca5e06d8cce4586319aecbb9712a40e0a8558ddc1685260da596")
    #expect(tree((0..<1000).map(vectorLeaf)).nodes.map { $0.node.entries.count } == [201, 174, 312, 300, 13, 5])
  }

  @Test func nodeRoundTrips() throws {
    for (id, node, bytes) in tree((0..<5000).map(vectorLeaf)).nodes {
      #expect(try Node(decoding: bytes, object: "n") == node)
      #expect(NodeID(bytes: Checksum.sha256(bytes)) == id)
    }
  }

  @Test func treeOfManyLeavesHasThemAllInOrder() throws {
    let test = try TestArchive()
    let leaves = (0..<9000).map(vectorLeaf)
    try test.archive.putVectorLeaves(0..<9000)
    var (draft, commit) = test.archive.draftCommit(leaves)
    #expect(try test.archive.publish(&draft, commit: commit, to: "main", expecting: nil, reason: "r") == .moved)
    let reader = try test.reopened()
    let root = try #require(reader.commit(commit).datasets["t"])
    #expect(root.rows == 18_000)
    let partitions = try reader.partitions(of: root.root)
    #expect(partitions.map(\.rowCount) == [18_000])
    #expect(try reader.leaves(of: partitions[0].tree) == leaves)
  }

  @Test func appendingKeepsTheNodesBefore() {
    let before = Set(tree((0..<3000).map(vectorLeaf)).nodes.map(\.id))
    let after = tree((0..<3001).map(vectorLeaf)).nodes
    // A new last leaf changes the last node of each level at most, and may start one.
    #expect(after.filter { !before.contains($0.id) }.count <= 2 * after.last!.node.level)
  }

  @Test func partitionNumbersKeepTheirOrderAsKeys() {
    let numbers: [Int64] = [.min, -2, -1, 0, 1, 672, .max]
    let keys = numbers.map { PartitionEntry(number: $0, tree: NodeID(bytes: zeros), rowCount: 0).key }
    for (a, b) in zip(keys, keys.dropFirst()) { #expect(a.lexicographicallyPrecedes(b)) }
    #expect(keys.map { PartitionEntry.number(fromKey: $0) } == numbers)
  }

  @Test func partitionsComeBackByNumber() throws {
    let test = try TestArchive()
    try test.archive.putVectorLeaves([0, 1])
    var draft = test.archive.draft()
    let a = draft.addPartitionTree([vectorLeaf(0)])
    let b = draft.addPartitionTree([vectorLeaf(1)])
    let root = draft.addRoot(
      schema: [:], layout: [:],
      partitions: [PartitionEntry(number: 5, tree: b, rowCount: 2), PartitionEntry(number: -3, tree: a, rowCount: 2)])
    let commit = draft.addCommit(
      Commit(
        parents: [], datasets: ["t": DatasetRef(root: root, rows: 4)], definitions: draft.addBlob([]), author: "", message: "",
        timeMicros: 0))
    #expect(try test.archive.publish(&draft, commit: commit, to: "main", expecting: nil, reason: "r") == .moved)
    #expect(try test.archive.partitions(of: root).map(\.number) == [-3, 5])
    #expect(try test.archive.partitions(of: root).map(\.tree) == [a, b])
    #expect(try test.archive.root(root).rowCount == 4)
  }

  @Test func everyDamagedByteOfANodeIsNoticedOrHarmless() throws {
    let bytes = tree([vectorLeaf(0), vectorLeaf(1)]).nodes[0].bytes
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0xFF
      // No trap; whether the damage shows here or by the id, the node is never the same.
      if let node = try? Node(decoding: damaged, object: "n") { #expect(node.encoded == damaged) }
      #expect(throws: StoreError.self) { try Node(decoding: Array(bytes[..<index]), object: "n") }
    }
    #expect(throws: StoreError.self) { try Node(decoding: bytes + [0], object: "n") }
  }

  @Test func differingLeavesAreThoseOfOneSideOnly() throws {
    let test = try TestArchive()
    var generator = SystemRandomNumberGenerator()
    let seed = UInt64.random(in: 0 ... .max, using: &generator)
    print("differingLeavesAreThoseOfOneSideOnly: seed \(seed)")
    var random = SplitMix(seed)
    for (count, changes) in [(0, 0), (1, 0), (40, 3), (700, 5), (3000, 20)] {
      let left = (0..<count).map(vectorLeaf)
      var right = left
      for _ in 0..<changes where !right.isEmpty {
        let index = Int(random.next() % UInt64(right.count))
        if random.next() % 2 == 0 {
          right.remove(at: index)
        } else {
          let old = right[index]
          right[index] = LeafEntry(
            firstKey: old.firstKey, lastKey: old.lastKey, rowCount: 2, id: LeafID(bytes: Checksum.sha256(old.id.bytes + [1])))
        }
      }
      for leaf in left + right {
        try leaf.id.bytes.withUnsafeBytes { try test.archive.putLeaf(leaf.id, bytes: $0, digests: []) }
      }
      var draft = test.archive.draft()
      let a = draft.addPartitionTree(left)
      let b = draft.addPartitionTree(right)
      let root = draft.addRoot(
        schema: [:], layout: [:],
        partitions: [
          PartitionEntry(number: 0, tree: a, rowCount: left.count * 2), PartitionEntry(number: 1, tree: b, rowCount: right.count * 2),
        ])
      let commit = draft.addCommit(
        Commit(
          parents: [], datasets: ["t": DatasetRef(root: root, rows: 0)], definitions: draft.addBlob([]), author: "",
          message: "\(count)", timeMicros: 0))
      #expect(try test.archive.publish(&draft, commit: commit, to: "b\(count)", expecting: nil, reason: "r") == .moved)
      let leftIDs = Set(left.map(\.id))
      let rightIDs = Set(right.map(\.id))
      let found = try test.archive.differingLeaves(a, b)
      #expect(found.onlyInA == left.filter { !rightIDs.contains($0.id) })
      #expect(found.onlyInB == right.filter { !leftIDs.contains($0.id) })
      #expect(try test.archive.differingLeaves(nil, b).onlyInB == right)
      #expect(try test.archive.differingLeaves(a, nil).onlyInA == left)
      #expect(try test.archive.differingLeaves(nil, nil).onlyInA.isEmpty)
    }
  }

  /// Through all levels: in leaves, between them, before the first and behind the last.
  @Test func theLeafOfAKeyIsFound() throws {
    let archive = try TestArchive().archive
    let leaves = (0..<1500).map { vectorLeaf(2 * $0 + 1) }
    try archive.putVectorLeaves((0..<1500).map { 2 * $0 + 1 })
    var (draft, id) = archive.draftCommit(leaves)
    #expect(try archive.publish(&draft, commit: id, to: "main", expecting: nil, reason: "test") == .moved)
    let root = try #require(try archive.commit(id).datasets["t"]?.root)
    let tree = try #require(try archive.partitions(of: root).first?.tree)
    for number in [0, 1, 2, 77, 255, 256, 1023, 1498, 1499] {
      #expect(try archive.leaf(of: tree, holding: leaves[number].firstKey) == leaves[number])
      #expect(try archive.leaf(of: tree, holding: leaves[number].lastKey) == leaves[number])
      #expect(try archive.leaf(of: tree, holding: key(4 * number)) == nil, "leaf \(number) starts at \(4 * number + 2)")
    }
    #expect(try archive.leaf(of: tree, holding: key(4 * 1500)) == nil)
    #expect(try archive.leaf(of: tree, holding: []) == nil)
  }
}

struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
