import Checks
import Columns
import History
import JSON
import Tables

/// How conflicts of a merge are settled.
package enum MergeStrategy: String, CaseIterable, Sendable {
  /// Not at all: nothing is changed, the conflicts are reported.
  case fail
  /// What conflicts is as the current branch has it; everything else is merged.
  case ours
  case theirs
}

/// A definition that both sides changed to different things.
package struct DefinitionConflict: Hashable, Sendable {
  /// For example `dataset transactions` or `feature view user_spend`.
  package let object: String
  /// The part of it; nil for the whole object.
  package let what: String?
  package let base: String?
  package let first: String?
  package let second: String?
}

/// A row that both sides changed in ways that do not go together.
package struct RowConflict: Sendable {
  package let dataset: String
  package let row: RowMerge.Conflict

  package typealias Values = RowDiff.Values
}

/// What a merge, revert or cherry-pick has come to.
package struct MergeReport: Sendable {
  package enum Outcome: String, Sendable {
    /// The branch had everything already.
    case upToDate = "up-to-date"
    /// The branch had nothing of its own and now stands for the other commit.
    case fastForward = "fast-forward"
    /// A commit was made.
    case merged
    /// Nothing was changed.
    case conflict
  }

  package struct Dataset: Sendable {
    package let name: String
    package let rowCount: Int
    package let root: RootID
    /// Against the branch before; nil for a dataset that was taken from the other side as it is.
    package let counts: (added: Int, changed: Int, removed: Int)?
    package let warnings: [String]
  }

  package let outcome: Outcome
  package let branch: String
  /// The branch's commit now.
  package let commit: CommitID
  /// The best common ancestors, the latest first; none for unrelated histories.
  package let bases: [CommitID]
  /// Those whose version on the branch has changed.
  package var datasets: [Dataset] = []
  package var rowConflicts: [RowConflict] = []
  package var definitionConflicts: [DefinitionConflict] = []
}

extension MergeReport {
  /// The shape of `merge --json`.
  package var json: JSON {
    [
      "outcome": .string(outcome.rawValue), "branch": .string(branch), "commit": .string(commit.description),
      "base": bases.first.map { .string($0.description) } ?? .null, "bases": .array(bases.map { .string($0.description) }),
      "datasets": .object(Dictionary(datasets.map { ($0.name, $0.json) }) { first, _ in first }),
      "conflicts": .array(rowConflicts.map(\.json)), "definitions": .array(definitionConflicts.map(\.json)),
    ]
  }
}

extension MergeReport.Dataset {
  fileprivate var json: JSON {
    var members: [String: JSON] = ["rows": .int(Int64(rowCount)), "root": .string(root.description)]
    if let counts {
      members["added"] = .int(Int64(counts.added))
      members["changed"] = .int(Int64(counts.changed))
      members["removed"] = .int(Int64(counts.removed))
    }
    return .object(members)
  }
}

extension RowConflict {
  package var json: JSON {
    func object(_ values: Values?) -> JSON {
      values.map { .object(Dictionary($0.map { ($0.name, $0.value.json) }) { first, _ in first }) } ?? .null
    }
    return [
      "dataset": .string(dataset), "kind": .string(row.kind.rawValue), "key": object(row.key),
      "columns": .array(row.columns.map { .string($0) }), "base": object(row.base), "ours": object(row.first),
      "theirs": object(row.second),
    ]
  }
}

extension DefinitionConflict {
  package var json: JSON {
    func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
    return ["object": .string(object), "what": text(what), "base": text(base), "ours": text(first), "theirs": text(second)]
  }
}
