import Columns
import History

/// Checks dataset versions by the keys of their rows: the order within leaves and between them, that no key comes twice, that trees say
/// what their leaves hold and are cut where they should be, and that tails do what they say to what lies below them.
///
/// What versions share is looked at once. Leaves are read one at a time on each processor, and nothing but their key columns.
package struct TableCheck {
  /// One partition of one version, as far as its leaves go.
  struct Tree: Hashable {
    /// Nil for a partition that has rows in tails alone.
    let node: NodeID?
    let form: KeyForm
    let partition: Int64
  }

  /// A leaf or a node of leaves, as it is read in a partition.
  struct Place<ID: Hashable & Sendable>: Hashable, Sendable {
    let id: ID
    let form: KeyForm
    let partition: Int64
  }

  /// The versions that have a tree, and the tails that they have over it.
  struct Use {
    var roots: [RootID] = []
    /// The nodes of level 1, from left to right.
    var nodes: [NodeID] = []
    /// Each list of tails once, the oldest tail first, in the order in which the lists were met, and the versions that have it.
    private(set) var chains: [[TailPiece]] = []
    private(set) var rootsOfChain: [[TailPiece]: [RootID]] = [:]

    mutating func add(_ chain: [TailPiece], of root: RootID) {
      guard !chain.isEmpty else { return }
      if rootsOfChain[chain] == nil { chains.append(chain) }
      rootsOfChain[chain, default: []].append(root)
    }
  }

  let archive: Archive
  private(set) var trees: [Tree: Use] = [:]
  /// In the order in which they were met.
  private var order: [Tree] = []
  private var entries: [Place<NodeID>: [LeafEntry]] = [:]
  private var leaves: [Place<LeafID>: LeafKeys] = [:]
  private var findings: [ContentFinding] = []
  private var layouts: [(root: RootID, layout: TableLayout)] = []

  private init(_ archive: Archive) { self.archive = archive }

  /// - Parameter roots: versions of which every object can be read.
  /// - Returns: what is wrong, of each object in the order of the versions.
  /// - Throws: `StoreError`, `TableError` when something cannot be read after all.
  /// - Complexity: O(rows) of the distinct leaves and tails, key columns alone
  package static func findings(_ archive: Archive, roots: [RootID]) throws -> [ContentFinding] {
    var check = TableCheck(archive)
    for root in roots { try check.add(root) }
    try check.readLeaves()
    check.checkTrees()
    for tree in check.order { try check.checkTails(over: tree) }
    var values = ValueCheck(archive, layouts: check.layouts.map(\.layout))
    for (root, layout) in check.layouts {
      if let finding = try values.finding(root, layout) { check.findings.append(finding) }
    }
    return check.findings
  }

  // MARK: What there is

  private mutating func add(_ id: RootID) throws {
    let root = try archive.root(id)
    let layout: TableLayout
    do {
      layout = try TableLayout(schemaJSON: root.schema, layoutJSON: root.layout)
    } catch {
      findings.append(ContentFinding(.root(id), error.description, touches: [id: root.rowCount]))
      return
    }
    layouts.append((id, layout))
    let form = KeyForm(layout)
    let entries = Dictionary(try archive.partitions(of: id).map { ($0.number, $0) }) { first, _ in first }
    for number in Set(entries.keys).union(root.tails.partitions).sorted() {
      if layout.partitioning == .none, number != 0 {
        let detail = "it has a partition \(number), and its layout says that it has none"
        findings.append(ContentFinding(.root(id), detail, touches: [id: root.rowCount]))
      }
      let tree = Tree(node: entries[number]?.tree, form: form, partition: number)
      if trees[tree] == nil {
        order.append(tree)
        trees[tree] = Use()
        if let node = tree.node { trees[tree]?.nodes = try archive.leafNodes(of: node) }
      }
      trees[tree]?.roots.append(id)
      trees[tree]?.add(root.tails.live(number).map { TailPiece(id: $0.entry.id, rows: $0.rows) }, of: id)
    }
  }

  private mutating func readLeaves() throws {
    var wanted: [Place<LeafID>] = []
    var seen: Set<Place<LeafID>> = []
    for tree in order {
      for node in trees[tree]?.nodes ?? [] {
        let place = Place(id: node, form: tree.form, partition: tree.partition)
        guard entries[place] == nil else { continue }
        let named = try archive.leaves(of: node, inAnyOrder: true)
        entries[place] = named
        for entry in named {
          let leaf = Place(id: entry.id, form: tree.form, partition: tree.partition)
          if seen.insert(leaf).inserted { wanted.append(leaf) }
        }
      }
    }
    let archive = archive
    let found = try parallelMap(wanted) { try LeafKeys($0.id, form: $0.form, partition: $0.partition, in: archive) }
    for (place, keys) in zip(wanted, found) { leaves[place] = keys }
  }

  // MARK: Trees

  private mutating func checkTrees() {
    var checkedLeaves: Set<Place<LeafID>> = []
    var checkedNodes: Set<Place<NodeID>> = []
    for tree in order {
      let nodes = trees[tree]?.nodes ?? []
      for (position, node) in nodes.enumerated() {
        let place = Place(id: node, form: tree.form, partition: tree.partition)
        let named = entries[place] ?? []
        let isNew = checkedNodes.insert(place).inserted
        for (index, entry) in named.enumerated() {
          let leaf = Place(id: entry.id, form: tree.form, partition: tree.partition)
          guard let keys = leaves[leaf] else { continue }
          if checkedLeaves.insert(leaf).inserted {
            for problem in keys.problems { note(.leaf(entry.id), problem, in: leaf, rows: keys.rowCount) }
          }
          guard isNew else { continue }
          if index > 0 { checkOrder(tree, node, last: named[index - 1], first: entry) }
          if let difference = keys.difference(from: entry, form: tree.form) {
            note(.node(node), "leaf \(entry.id) is not what it says: \(difference)", in: place, rows: entry.rowCount)
          }
          // The last leaf of a partition ends with it. A node that is the last in one tree need not be it in another.
          if !keys.endsAtCut, index < named.count - 1 {
            note(.node(node), "its leaf \(entry.id) ends where no leaf ends", in: place, rows: entry.rowCount)
          }
        }
        if let next = position + 1 < nodes.count ? entries[Place(id: nodes[position + 1], form: tree.form, partition: tree.partition)] : nil
        {
          checkOrder(tree, node, last: named.last, first: next.first)
        }
        guard position < nodes.count - 1, let last = named.last else { continue }
        let leaf = Place(id: last.id, form: tree.form, partition: tree.partition)
        if leaves[leaf]?.endsAtCut == false {
          note(.node(node), "its leaf \(last.id) ends where no leaf ends", in: place, rows: last.rowCount)
        }
      }
    }
  }

  /// Whether a leaf begins behind the one before it, by what both hold.
  private mutating func checkOrder(_ tree: Tree, _ node: NodeID, last: LeafEntry?, first: LeafEntry?) {
    guard let last, let first, let before = leaves[Place(id: last.id, form: tree.form, partition: tree.partition)],
      let after = leaves[Place(id: first.id, form: tree.form, partition: tree.partition)],
      !before.lastKey.lexicographicallyPrecedes(after.firstKey)
    else { return }
    let detail =
      "its leaf \(first.id) begins with \(tree.form.text(after.firstKey)), which is not behind \(tree.form.text(before.lastKey)), "
      + "with which leaf \(last.id) ends"
    note(.node(node), detail, in: Place(id: node, form: tree.form, partition: tree.partition), rows: last.rowCount + first.rowCount)
  }

  // Damage is rare: only then is it looked up whom it touches.

  private mutating func note(_ subject: ContentFinding.Subject, _ detail: String, in place: Place<NodeID>, rows: Int) {
    note(
      subject, detail, rows: rows,
      in: order.filter { tree in
        tree.form == place.form && tree.partition == place.partition && trees[tree]?.nodes.contains(place.id) ?? false
      })
  }

  private mutating func note(_ subject: ContentFinding.Subject, _ detail: String, in place: Place<LeafID>, rows: Int) {
    note(
      subject, detail, rows: rows,
      in: order.filter { tree in
        guard tree.form == place.form && tree.partition == place.partition else { return false }
        return (trees[tree]?.nodes ?? []).contains { node in
          (entries[Place(id: node, form: tree.form, partition: tree.partition)] ?? []).contains { $0.id == place.id }
        }
      })
  }

  private mutating func note(_ subject: ContentFinding.Subject, _ detail: String, rows: Int, in touched: [Tree]) {
    let roots = touched.flatMap { trees[$0]?.roots ?? [] }
    let finding = ContentFinding(subject, detail, touches: Dictionary(roots.map { ($0, rows) }) { first, _ in first })
    if !findings.contains(finding) { findings.append(finding) }
  }

  // MARK: Tails

  private mutating func checkTails(over tree: Tree) throws {
    guard let use = trees[tree], !use.chains.isEmpty else { return }
    let named = use.nodes.flatMap { entries[Place(id: $0, form: tree.form, partition: tree.partition)] ?? [] }
    // Nothing can be found by key in leaves that are not in order; they have been named.
    guard
      named.allSatisfy({ entry in
        let keys = leaves[Place(id: entry.id, form: tree.form, partition: tree.partition)]
        return keys.map { $0.problems.isEmpty && $0.difference(from: entry, form: tree.form) == nil } ?? false
      })
    else { return }
    var tails = TailTruth(tree.form, partition: tree.partition, leaves: named, archive: archive)
    for (problem, chain) in try tails.problems(of: use.chains) {
      let roots = use.chains.filter { $0.starts(with: chain) }.flatMap { use.rootsOfChain[$0] ?? [] }
      let touches = Dictionary(roots.map { ($0, problem.rowCount) }) { first, _ in first }
      findings.append(ContentFinding(.tail(problem.tail), problem.detail, touches: touches))
    }
  }
}
