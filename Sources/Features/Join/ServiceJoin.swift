import Columns
import Tables

/// For label rows the values that were known of their entities at their times.
enum ServiceJoin {
  private struct Task: Sendable {
    let view: Int
    /// Nil for the row of labels without an entity.
    let range: Int?
  }

  /// For each view one column per feature, in label order.
  ///
  /// - Parameters:
  ///   - keys: for each view the label columns of its entity's keys, in the entity's order.
  ///   - times: microseconds without nulls; nil when no view looks at time.
  ///   - trace: told of what is read.
  /// - Throws: `evaluation` when an expression fails on a row that matters, or an integer sum exceeds int64; what the source throws.
  /// - Complexity: O(labels + rows that matter); on all processors. Memory: the results, and a range of rows for each thread.
  static func columns(
    of views: [CompiledView], keys: [[Column]], times: Column?, source: any FeatureSource, rangeRowCountMax: Int,
    trace: JoinTrace? = nil
  ) throws -> [[Column]] {
    let joins = try parallelMap(Array(views.indices)) {
      try ViewJoin(views[$0], keys: keys[$0], times: times, source: source, rangeRowCountMax: rangeRowCountMax, trace: trace?.view($0))
    }
    let tasks = joins.indices.flatMap { view in
      (0..<joins[view].ranges.count).map { Task(view: view, range: $0) } + [Task(view: view, range: nil)]
    }
    let parts = try parallelMap(tasks) { task in
      try task.range.map { try joins[task.view].columns($0) } ?? joins[task.view].columnsWithoutEntity()
    }
    let places = try parallelMap(joins) { $0.labels.places }
    let outputs = joins.indices.flatMap { view in views[view].features.indices.map { (view, $0) } }
    let columns = try parallelMap(outputs) { view, feature in
      let own = zip(tasks, parts).filter { $0.0.view == view && !$0.1.isEmpty }.map { $0.1[feature] }
      return Column.concatenate(own).take(places[view])
    }
    var result = [[Column]](repeating: [], count: views.count)
    for ((view, _), column) in zip(outputs, columns) { result[view].append(column) }
    return result
  }
}
