import Features
import History
import JSON
import Tables

/// Where a training set's values came from: what was read for each view of the service, and why.
package struct TrainingExplanation: Sendable {
  package struct View: Sendable {
    package let name: String
    package let alias: String?
    package let dataset: String
    /// Nil for a dataset without rows.
    package let root: String?
    /// The dataset's key.
    package let primaryKey: [String]
    /// Of the view's `where`, its ttl and its windows, as they are declared.
    package let filter: String?
    package let summary: ViewTrace.Summary
  }

  package let service: String
  package let commit: CommitID
  package let labelCount: Int
  package let views: [View]
}

extension TrainingExplanation {
  init(_ service: CompiledService, _ trace: JoinTrace, commit: Commit, id: CommitID, labelCount: Int) {
    self.service = service.name
    self.commit = id
    self.labelCount = labelCount
    views = zip(service.views, trace.summaries).map { use, summary in
      View(
        name: use.view.view.name, alias: use.alias, dataset: use.view.source.name,
        root: commit.datasets[use.view.source.name]?.root.description, primaryKey: use.view.source.primaryKey,
        filter: use.view.view.filter, summary: summary)
    }
  }
}

extension TrainingExplanation.View {
  package var readPageCount: Int { summary.files.reduce(0) { $0 + $1.readPageCount } }
  /// Of the files that were opened.
  package var pageCount: Int { summary.files.reduce(0) { $0 + $1.pageCount } }
  package var readByteCount: Int { summary.files.reduce(0) { $0 + $1.readByteCount } }
  package var byteCount: Int { summary.files.reduce(0) { $0 + $1.byteCount } }

  /// Why rows are read the way they are.
  package var reason: String {
    let keys = summary.keyColumns.joined(separator: ", ")
    let key = "(\(primaryKey.joined(separator: ", ")))"
    switch summary.access {
    case .noRows: return "the dataset has no rows at this commit"
    case .sortedLeaves:
      let sorted =
        summary.sortColumns.isEmpty
        ? "rows lie in the order of the join" : "rows found are sorted by (\(summary.sortColumns.joined(separator: ", ")))"
      return "the key \(key) begins with \(keys): \(sorted)"
    case .projection: return "the key \(key) does not begin with \(keys): a sorted copy is kept in the cache"
    case .memory: return "the key \(key) does not begin with \(keys), and there are few rows"
    }
  }
}

extension TrainingExplanation {
  package var json: JSON {
    func pair(_ read: Int, _ all: Int) -> JSON { ["read": .int(Int64(read)), "all": .int(Int64(all))] }
    let views = views.map { view -> JSON in
      let summary = view.summary
      let files = summary.files.map { file -> JSON in
        [
          "name": .string(file.name), "rows": .int(Int64(file.rowCount)), "pages": pair(file.readPageCount, file.pageCount),
          "bytes": pair(file.readByteCount, file.byteCount),
          "columns": .array(
            file.columns.map { column in
              [
                "name": .string(column.name), "pages": pair(column.readPageCount, column.pageCount),
                "bytes": .int(Int64(column.readByteCount)),
              ]
            }),
        ]
      }
      return [
        "view": .string(view.name), "as": view.alias.map { .string($0) } ?? .null, "dataset": .string(view.dataset),
        "root": view.root.map { .string($0) } ?? .null, "access": .string(summary.access.rawValue), "reason": .string(view.reason),
        "where": view.filter.map { .string($0) } ?? .null,
        "times": summary.times.map { [.int($0.lowerBound), .int($0.upperBound)] } ?? .null,
        "lookback_micros": summary.lookbackMicros.map { .int($0) } ?? .null,
        "partitions": pair(summary.readPartitionCount, summary.partitionCount), "leaves": .int(Int64(summary.leafCount)),
        "tails": .int(Int64(summary.tailCount)), "ranges": pair(summary.readRangeCount, summary.rangeCount * summary.labelBatchCount),
        "labels": .int(Int64(summary.labelCount)), "labels_without_entity": .int(Int64(summary.labelsWithoutEntityCount)),
        "entities": .int(Int64(summary.entityCount)),
        "rows": ["selected": .int(Int64(summary.selectedRowCount)), "stored": .int(Int64(summary.rowCount))],
        "pages": pair(view.readPageCount, view.pageCount), "bytes": pair(view.readByteCount, view.byteCount), "files": .array(files),
      ]
    }
    return [
      "service": .string(service), "commit": .string(commit.description), "labels": .int(Int64(labelCount)), "views": .array(views),
    ]
  }
}
