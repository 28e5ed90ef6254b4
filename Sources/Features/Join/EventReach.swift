import Columns

/// How far back from a label's time the events of a view matter.
struct EventReach: Sendable {
  /// Features that want the newest event.
  private let hasLatest: Bool
  private let ttlMicros: Int64?
  private let windows: [Window]
  /// Whether the newest event of all is the newest that passes.
  private let passesAll: Bool
  private let isTimeless: Bool

  /// - Parameter isOrdered: whether rows are read in the order of the join; else the newest is known only after sorting.
  init(_ view: CompiledView, isOrdered: Bool) {
    var hasLatest = false
    var windows: Set<Window> = []
    for feature in view.features {
      switch feature.kind {
      case .value: hasLatest = true
      case .aggregate(_, _, let window, _): windows.insert(window)
      }
    }
    self.hasLatest = hasLatest
    self.windows = Array(windows)
    ttlMicros = view.view.ttlMicros
    // The newest row may not be known yet, and then an older one is wanted.
    passesAll = view.filter == nil && view.knowledgeColumn == nil && isOrdered
    isTimeless = view.source.eventTime == nil
  }

  /// Events up to this time do not matter to a label at `time`, but for the newest one (`wantsNewest`); nil when all matter.
  func exclusiveStart(at time: Int64) -> Int64? {
    guard !isTimeless else { return nil }
    var start = Int64.max
    if hasLatest {
      if let ttlMicros {
        let (oldest, overflow) = time.subtractingReportingOverflow(ttlMicros)
        guard !overflow, oldest > .min else { return nil }
        start = oldest - 1
      } else if !passesAll {
        return nil
      }
    }
    for window in windows {
      guard let before = AggregateInput.exclusiveStart(of: window, at: time) else { return nil }
      start = min(start, before)
    }
    return start
  }

  /// Whether the newest event up to a label's time matters, however old it is.
  var wantsNewest: Bool { hasLatest && ttlMicros == nil && passesAll }

  /// The event times that may matter to labels of these times; nil for all. - Complexity: O(1)
  func times(of labels: ClosedRange<Int64>) -> ClosedRange<Int64>? {
    guard !isTimeless else { return nil }
    let start = wantsNewest ? nil : exclusiveStart(at: labels.lowerBound)
    return min(start ?? .min, labels.upperBound)...labels.upperBound
  }

  /// How far back events matter at most; nil for ever. - Complexity: O(windows)
  var lookbackMicros: Int64? {
    guard !isTimeless else { return nil }
    var reach: Int64 = 0
    if hasLatest {
      guard let ttlMicros else { return nil }
      reach = ttlMicros
    }
    for window in windows {
      switch window {
      case .all: return nil
      case .micros(let micros): reach = max(reach, micros)
      case .coarse(let micros, let resolution): reach = max(reach, micros &+ resolution)
      }
    }
    return reach
  }

  /// Whether of an entity only its newest event matters, at any time.
  var isNewestOnly: Bool { isTimeless && passesAll && windows.isEmpty }
}
