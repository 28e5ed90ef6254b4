import Columns
import History

/// What a commit does to the rows of one dataset.
package enum ChangeMode: String, Sendable, CaseIterable {
  /// New keys only; an existing key is refused.
  case append
  /// New keys are added, existing ones replaced.
  case upsert
  /// The input is the whole dataset.
  case replace
  /// The keys of the input are removed; absent ones are no error.
  case delete
}

/// Rows to be put in place and keys to be removed, both at once.
package struct RowChange: Sendable {
  /// Under the layout's schema.
  package let upserts: Batch
  /// The key columns alone.
  package let deletes: Batch

  package init(upserts: Batch, deletes: Batch) {
    self.upserts = upserts
    self.deletes = deletes
  }
}

/// Keys that stand in the way of a change.
package struct KeyConflict: Sendable {
  package enum Kind: Sendable { case duplicateInInput, alreadyThere }
  package let kind: Kind
  /// How many rows of the input conflict.
  package let count: Int
  /// The key of the first of them.
  package let firstKey: [(name: String, value: Scalar)]
  /// Rows of the input, from 0, of the first conflicts (at most 20); for a duplicate the later of the two.
  package let inputRows: [Int]
}

/// A dataset's new content: leaves and tails durable in the archive, not yet named by any root.
package struct TableContent: Sendable {
  package enum Partition: Sendable {
    /// As the version before has it.
    case kept(PartitionEntry)
    case rewritten(number: Int64, leaves: [LeafEntry])

    package var rowCount: Int {
      switch self {
      case .kept(let entry): entry.rowCount
      case .rewritten(_, let leaves): leaves.reduce(0) { $0 + $1.rowCount }
      }
    }
  }

  package let layout: TableLayout
  package let partitions: [Partition]
  package let tails: TailList
  package let addedCount: Int
  package let changedCount: Int
  package let removedCount: Int
  /// Leaves written, of all that the version has.
  package let writtenLeafCount: Int
  package var rowCount: Int { partitions.reduce(tails.addedRowCount) { $0 + $1.rowCount } }

  /// Adds the nodes and the root of this content to a draft.
  package func addRoot(to draft: inout Draft) -> RootID {
    let entries = partitions.map { part -> PartitionEntry in
      switch part {
      case .kept(let entry): entry
      case .rewritten(let number, let leaves):
        PartitionEntry(number: number, tree: draft.addPartitionTree(leaves), rowCount: part.rowCount)
      }
    }
    return draft.addRoot(schema: layout.schemaJSON, layout: layout.layoutJSON, partitions: entries, tails: tails)
  }
}

package enum ChangeOutcome: Sendable {
  case content(TableContent)
  case conflict(KeyConflict)
}
