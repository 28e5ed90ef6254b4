import Columns
import Synchronization
import Tables

/// How the views of a service were joined, for those who ask (`train --explain`): where rows came from, why, and what was decoded.
package final class JoinTrace: Sendable {
  private let views: Mutex<[ViewTrace]>

  /// - Parameter viewCount: of the service.
  package init(viewCount: Int) { views = Mutex((0..<viewCount).map { _ in ViewTrace() }) }

  /// By index of the service's views.
  package var summaries: [ViewTrace.Summary] { views.withLock { $0.map(\.summary) } }

  func view(_ index: Int) -> ViewTrace { views.withLock { $0[index] } }
}

/// How one view was joined; batches of labels add up.
package final class ViewTrace: Sendable {
  /// Where a view's rows come from.
  package enum Access: String, Sendable {
    /// The dataset's key begins with the view's keys: its leaves and tails are merged as they lie.
    case sortedLeaves = "sorted leaves"
    /// Other columns lead the key: a copy in the view's order, kept in the cache.
    case projection = "cached projection"
    /// Other columns lead the key, and the dataset is small or the cache cannot be written: all rows are sorted in memory.
    case memory = "sorted in memory"
    case noRows = "no rows"
  }

  package struct Summary: Sendable {
    package fileprivate(set) var access = Access.noRows
    package fileprivate(set) var keyColumns: [String] = []
    /// By what the rows found are sorted once more; empty when they lie in the order of the join.
    package fileprivate(set) var sortColumns: [String] = []
    /// Event times in microseconds that may matter to the labels; nil for all.
    package fileprivate(set) var times: ClosedRange<Int64>?
    /// Event times within these matter; nil when every label wants its newest event, however old.
    package fileprivate(set) var lookbackMicros: Int64?
    package fileprivate(set) var partitionCount = 0
    package fileprivate(set) var readPartitionCount = 0
    package fileprivate(set) var leafCount = 0
    package fileprivate(set) var tailCount = 0
    /// How many parts the entities were read in, and how many of them held labels.
    package fileprivate(set) var rangeCount = 0
    package fileprivate(set) var readRangeCount = 0
    package fileprivate(set) var labelBatchCount = 0
    package fileprivate(set) var labelCount = 0
    /// Label rows whose key is null.
    package fileprivate(set) var labelsWithoutEntityCount = 0
    /// Summed over the batches of labels.
    package fileprivate(set) var entityCount = 0
    /// In the partitions that were read.
    package fileprivate(set) var rowCount = 0
    /// Rows that may matter to a label by key and time: of these alone the other columns were taken.
    package fileprivate(set) var selectedRowCount = 0
    package fileprivate(set) var files: [ReadTally.File] = []
  }

  private let state = Mutex(Summary())
  let tally = ReadTally()

  var summary: Summary {
    var summary = state.withLock { $0 }
    summary.files = tally.files
    return summary
  }

  func note(_ join: ViewJoin, _ access: Access) {
    state.withLock { state in
      state.access = access
      state.keyColumns = join.keyColumns
      state.sortColumns = join.sortColumns
      state.labelBatchCount += 1
      state.labelCount += join.labels.labelCount
      state.labelsWithoutEntityCount += join.labels.labelCount - join.labels.rows.count
      state.entityCount += join.labels.entityCount
      state.rangeCount = join.ranges.count
      state.lookbackMicros = join.reach.lookbackMicros
      if let labels = join.labels.timeRange, let times = join.reach.times(of: labels) {
        state.times = state.times.map { min($0.lowerBound, times.lowerBound)...max($0.upperBound, times.upperBound) } ?? times
      }
      switch join.ranges {
      case .stored(let scan):
        state.partitionCount = scan.partitionCount
        state.readPartitionCount = max(state.readPartitionCount, scan.readPartitionCount)
        state.leafCount = max(state.leafCount, scan.leafCount)
        state.tailCount = max(state.tailCount, scan.tailCount)
        state.rowCount = max(state.rowCount, scan.rowCount)
      case .memory(let batch, _):
        state.rowCount = batch.rowCount
      }
    }
  }

  func noteRange(selectedRowCount: Int) {
    state.withLock { state in
      state.readRangeCount += 1
      state.selectedRowCount += selectedRowCount
    }
  }
}
