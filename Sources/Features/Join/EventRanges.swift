import Columns
import Tables

/// The rows of a view's dataset, cut into ranges of entities that are read one at a time.
package enum EventRanges: Sendable {
  case stored(KeyRangeScan)
  /// Rows sorted by (keys, event time, created time, rest of the key) without null keys, where each range starts, and where the
  /// last one ends.
  case memory(Batch, bounds: [Int])

  var count: Int {
    switch self {
    case .stored(let scan): scan.rangeCount
    case .memory(_, let bounds): bounds.count - 1
    }
  }

  /// About how many rows are in memory at a time, for each thread.
  package static let rowCountMax = 512 << 10

  /// Cuts sorted rows; entities stay whole.
  static func memory(_ batch: Batch, keys: [Column], rowCountMax: Int) -> EventRanges {
    var bounds = [0]
    while batch.rowCount - bounds[bounds.count - 1] > rowCountMax {
      let last = bounds[bounds.count - 1] + rowCountMax - 1
      var search = KeySearch(wantedCount: 1, storedCount: batch.rowCount)
      for key in keys { search.narrow(stored: key, wanted: key.slice(from: last, count: 1)) }
      bounds.append(Int(search.upper[0]))
    }
    if bounds[bounds.count - 1] < batch.rowCount || bounds.count == 1 { bounds.append(batch.rowCount) }
    return .memory(batch, bounds: bounds)
  }

  /// The runs of a range; an entity's rows in an earlier run come before those in a later one.
  func runs(_ range: Int, fields: [Field]) throws -> [SortedRun] {
    switch self {
    case .stored(let scan): return try scan.runs(range, fields: fields)
    case .memory(let batch, let bounds):
      return [SortedRun(batch.slice(from: bounds[range], count: bounds[range + 1] - bounds[range]))]
    }
  }

  /// Divides entities among the ranges: where each range's entities start, and where the last one's end.
  /// - Parameter labelKeys: ascending, of the types under which entities compare.
  func entityBounds(_ labelKeys: [Column], keyColumns: [String]) throws -> [Int] {
    let entityCount = labelKeys[0].count
    var bounds = [0]
    for index in 0..<count - 1 {
      let cut: [Column]
      switch self {
      case .stored(let scan): cut = try scan.cutColumns(index)
      case .memory(let batch, let bounds): cut = keyColumns.map { batch[$0]!.slice(from: bounds[index + 1] - 1, count: 1) }
      }
      var search = KeySearch(wantedCount: 1, storedCount: entityCount)
      for (key, value) in zip(labelKeys, cut) {
        search.narrow(stored: key, wanted: try value.cast(to: value.type.entityKeyType))
      }
      bounds.append(Int(search.upper[0]))
    }
    return bounds + [entityCount]
  }
}
