import Columns
import History

/// Checks that the rows of dataset versions have values which the types of their columns hold: a widening that is taken back writes no
/// leaf, so that leaves and tails may be of wider types than their version.
struct ValueCheck {
  private let archive: Archive
  /// Fields that have a type in some version that could be wider.
  private let narrow: Set<Int32>
  /// The types that these fields have in a leaf, or a tail.
  private var leafTypes: [LeafID: [Int32: DataType]] = [:]
  private var tailTypes: [TailID: [Int32: DataType]] = [:]

  init(_ archive: Archive, layouts: some Sequence<TableLayout>) {
    self.archive = archive
    narrow = layouts.reduce(into: []) { $0.formUnion(Self.narrow($1).compactMap(\.id)) }
  }

  private static func narrow(_ layout: TableLayout) -> [Field] {
    layout.schema.fields.filter { $0.type != $0.type.widestOfItsClass }
  }

  /// What is wrong with a version; nil when nothing is.
  /// - Throws: `TableError`, `StoreError` when something cannot be read.
  /// - Complexity: O(leaves) footers, each leaf's once; where some are of wider types, O(rows) of these columns and the key
  mutating func finding(_ root: RootID, _ layout: TableLayout) throws -> ContentFinding? {
    let fields = Self.narrow(layout)
    guard !fields.isEmpty else { return nil }
    let version = try TableVersion(archive: archive, root: root)
    var wide: Set<Int32> = []
    func note(_ types: [Int32: DataType]) {
      for field in fields {
        guard let id = field.id, let stored = types[id], stored != field.type, !stored.widens(to: field.type) else { continue }
        wide.insert(id)
      }
    }
    for number in version.partitionNumbers {
      let view = try version.partition(number, inAnyOrder: true)
      for leaf in view.leaves {
        if leafTypes[leaf.id] == nil { leafTypes[leaf.id] = try StoredRows(leaf: leaf.id, in: archive).types(of: narrow) }
        note(leafTypes[leaf.id] ?? [:])
      }
      for tail in view.tails {
        if tailTypes[tail.id] == nil { tailTypes[tail.id] = try StoredRows(tail: tail.id, in: archive).types(of: narrow) }
        note(tailTypes[tail.id] ?? [:])
      }
    }
    guard !wide.isEmpty else { return nil }
    do {
      try version.viewed(under: layout.widened(wide)).checkFit(under: layout)
      return nil
    } catch let misfit as ValueMisfit {
      let key = misfit.key.map { "\($0.name)=\($0.value.keyText)" }.joined(separator: ", ")
      let detail = "column \(misfit.field.name) is \(misfit.field.type), and the row \(key) has \(misfit.value.keyText) in it"
      return ContentFinding(.root(root), detail, touches: [root: 1])
    }
  }
}
