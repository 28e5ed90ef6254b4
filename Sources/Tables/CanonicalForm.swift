import Columns
import History

/// Tells of many versions whether their roots are functions of their rows; what they share is looked at once.
package struct CanonicalForm {
  private struct Tree: Hashable {
    let node: NodeID
    let fields: Set<Int32>
  }

  private let archive: Archive
  private var roots: [RootID: Bool] = [:]
  private var trees: [Tree: Bool] = [:]
  /// The fields of which a leaf has values.
  private var held: [LeafID: [Int32]] = [:]

  package init(_ archive: Archive) { self.archive = archive }

  /// Whether a version has no tails, and no leaf with values of a column that is gone.
  /// - Throws: `StoreError`, `TableError` when something cannot be read.
  /// - Complexity: O(leaves) of trees that were not looked at before
  package mutating func holds(for root: RootID) throws -> Bool {
    if let known = roots[root] { return known }
    return try holds(for: TableVersion(archive: archive, root: root))
  }

  mutating func holds(for version: TableVersion) throws -> Bool {
    let fields = Set(version.layout.schema.fields.compactMap(\.id))
    var isCanonical = version.tails.isEmpty
    for entry in version.partitions where isCanonical { isCanonical = try holds(Tree(node: entry.tree, fields: fields)) }
    roots[version.rootID] = isCanonical
    return isCanonical
  }

  private mutating func holds(_ tree: Tree) throws -> Bool {
    if let known = trees[tree] { return known }
    var isCanonical = true
    for leaf in try archive.leaves(of: tree.node) where isCanonical {
      if held[leaf.id] == nil { held[leaf.id] = LeafIdentity.fieldIDs(inDigests: try archive.leafDigests(leaf.id) ?? []) }
      isCanonical = held[leaf.id]?.allSatisfy(tree.fields.contains) ?? true
    }
    trees[tree] = isCanonical
    return isCanonical
  }
}
