import Columns
import Tables

/// The join of one view with sorted labels, range by range of its entities.
struct ViewJoin: Sendable {
  let view: CompiledView
  let labels: SortedLabels
  let ranges: EventRanges
  /// Where each range's entities start, and where the last one's end.
  let entityBounds: [Int]
  /// The source columns of the keys, in the order in which rows are sorted.
  let keyColumns: [String]
  let reach: EventReach
  /// Whether an entity's rows are read in the order of time.
  let isTimeSorted: Bool
  /// What rows must be sorted by after they were read; empty when they come in the order of the join.
  let sortColumns: [String]
  private let trace: ViewTrace?

  /// - Parameters:
  ///   - keys: the label columns of the entity's keys in its order, of the types the entity declares.
  ///   - times: microseconds without nulls; nil when timeless.
  ///   - rangeRowCountMax: about how many rows are read at a time.
  ///   - trace: told of what is read.
  init(
    _ view: CompiledView, keys: [Column], times: Column?, source: any FeatureSource, rangeRowCountMax: Int, trace: ViewTrace? = nil
  ) throws {
    guard keys[0].count < Int(Int32.max) else {
      throw FeatureError(.labels, "Cannot join \(keys[0].count) label rows at once: expected at most 2147483646")
    }
    let stored = try source.stored(view.source.name)
    let access = stored.flatMap { StoredAccess(view, layout: $0.layout) }
    let order = access?.keyColumns ?? view.keyColumns
    let compared = try order.map { name -> Column in
      guard let index = view.keyColumns.firstIndex(of: name) else { preconditionFailure("The order names the view's keys") }
      return try Self.keys(keys[index], of: view)
    }
    let labels = SortedLabels(keys: compared, times: view.isTimeless ? nil : times)
    keyColumns = order
    isTimeSorted = access?.isTimeSorted ?? true
    sortColumns = access?.sortColumns ?? []
    let reach = EventReach(view, isOrdered: isTimeSorted && (sortColumns.isEmpty || view.source.eventTime != nil))
    let way: ViewTrace.Access
    if let stored, access != nil {
      way = .sortedLeaves
      ranges = .stored(
        try KeyRangeScan(
          stored.version, layout: stored.layout, leadingCount: order.count, times: labels.timeRange.flatMap { reach.times(of: $0) },
          rowCountMax: rangeRowCountMax, tally: trace?.tally))
    } else if let stored, stored.version.rowCount > rangeRowCountMax,
      let scan = try Self.projected(view, stored, rangeRowCountMax, trace?.tally)
    {
      way = .projection
      ranges = .stored(scan)
    } else {
      way = stored == nil ? .noRows : .memory
      ranges = try Self.sortedRows(view, source, rangeRowCountMax)
    }
    entityBounds = try ranges.entityBounds(labels.keys, keyColumns: order)
    self.view = view
    self.labels = labels
    self.reach = reach
    self.trace = trace
    trace?.note(self, way)
  }

  private static func keys(_ column: Column, of view: CompiledView) throws(FeatureError) -> Column {
    do {
      return try column.cast(to: column.type.entityKeyType)
    } catch {
      throw FeatureError(.labels, "\(view.title): \(error.text(row: FeatureError.rowMark))", row: error.row)
    }
  }

  /// Rows of a dataset whose key does not begin with the view's keys.
  private static func projected(
    _ view: CompiledView, _ stored: StoredTable, _ rowCountMax: Int, _ tally: ReadTally?
  ) throws -> KeyRangeScan? {
    let projection = try SortedProjection.open(
      stored.version, layout: stored.layout, columns: view.sourceColumns, order: view.eventOrder, keyCount: view.keyColumns.count)
    return try projection.map {
      try KeyRangeScan($0, layout: stored.layout, leadingCount: view.keyColumns.count, rowCountMax: rowCountMax, tally: tally)
    }
  }

  private static func sortedRows(_ view: CompiledView, _ source: any FeatureSource, _ rowCountMax: Int) throws -> EventRanges {
    let all = try source.rows(view.source.name, columns: view.sourceColumns, order: view.eventOrder)
    var whole: Bitmap?
    for validity in view.keyColumns.compactMap({ all[$0]?.validity }) { whole = whole.map { $0.intersection(validity) } ?? validity }
    let rows = whole.map { all.filter($0) } ?? all
    let keys = try view.keyColumns.map { try ViewEvents.column($0, of: rows, for: view) }
    return .memory(rows, keys: keys, rowCountMax: rowCountMax)
  }

  /// The values of the view's features for the places of a range.
  /// - Throws: `evaluation` when an expression fails on a row of a labelled entity that may matter, or a sum exceeds int64.
  /// - Complexity: O(rows and labels of the range), less where labels are sparse
  func columns(_ range: Int) throws -> [Column] {
    let entities = entityBounds[range]..<entityBounds[range + 1]
    guard !entities.isEmpty else { return [] }
    let firstPlace = Int(labels.starts[entities.lowerBound])
    let places = firstPlace..<Int(labels.starts[entities.upperBound])
    let selection = try EventSelection(self, range: range, entities: entities)
    trace?.noteRange(selectedRowCount: selection.rowCount)
    let events = try selection.events()
    let groups = entities.enumerated().map { index, entity in
      LabelOrder.Group(
        places: Int(labels.starts[entity]) - firstPlace..<Int(labels.starts[entity + 1]) - firstPlace,
        events: Int(events.starts[index])..<Int(events.starts[index + 1]))
    }
    let times = Array(labels.times[places])
    let late = events.known.flatMap { LateArrivals($0, events.times, groups: groups, labelTimes: times) }
    // Events that become known in their order are as good as events of those times.
    let order = LabelOrder(
      groups: groups, times: times, eventTimes: late == nil ? events.known ?? events.times : events.times, labelCount: places.count)
    return try evaluate(events, order, late, firstPlace: firstPlace)
  }

  /// The values for a label without an entity: one row.
  func columnsWithoutEntity() throws -> [Column] {
    let fields = try view.sourceColumns.map { name -> Field in
      guard let field = view.source.schema[name] else { throw FeatureError(.notFound, "\(view.title): there is no column \(name)") }
      return field
    }
    let events = SelectedEvents(
      starts: [0], times: nil, known: nil, features: try ViewEvents.features(of: view, rows: Batch.empty(Schema(fields))))
    return try evaluate(events, LabelOrder(groups: [], times: [], eventTimes: nil, labelCount: 1), nil, firstPlace: 0)
  }

  /// - Parameter late: nil when events become known in their order.
  private func evaluate(
    _ events: SelectedEvents, _ order: LabelOrder, _ late: LateArrivals?, firstPlace: Int
  ) throws(FeatureError) -> [Column] {
    var latest: [Int32]?
    var windows: [Window: [Int32]?] = [:]
    var columns: [Column] = []
    for (feature, input) in zip(view.features, events.features) {
      switch input {
      case .value(let values):
        let rows = latest ?? latestEvents(order, events, late)
        latest = rows
        columns.append(values.take(rows))
      case .aggregate(let input):
        let starts = windows[input.window] ?? order.starts(ofWindow: input.window, events.times)
        windows[input.window] = .some(starts)
        do {
          columns.append(try SlidingAggregate.evaluate(input, order, starts: starts, late: late))
        } catch {
          throw named(error, feature, firstPlace: firstPlace)
        }
      }
    }
    return columns
  }

  /// An error of a place, told of its label row.
  private func named(_ error: FeatureError, _ feature: CompiledFeature, firstPlace: Int) -> FeatureError {
    var error = error.within("\(view.title): feature \(feature.name): ")
    error.row = error.row.map { Int(labels.rows[firstPlace + $0]) }
    return error
  }

  /// Per place the newest event up to its time that is known and no older than the ttl, or -1.
  private func latestEvents(_ order: LabelOrder, _ events: SelectedEvents, _ late: LateArrivals?) -> [Int32] {
    var rows = [Int32](repeating: -1, count: order.labelCount)
    let newest = late?.newest(order)
    for group in order.groups {
      for place in group.places {
        let last = Int(newest?[place] ?? order.ends[place] - 1)
        guard last >= group.events.lowerBound else { continue }
        if let times = events.times, let ttl = view.view.ttlMicros, !ViewEvents.holds(times[last], at: order.times[place], ttl) { continue }
        rows[place] = Int32(truncatingIfNeeded: last)
      }
    }
    return rows
  }
}

/// How a stored dataset serves a view without being sorted anew: its key begins with the view's keys, in any order.
struct StoredAccess {
  let keyColumns: [String]
  let isTimeSorted: Bool
  let sortColumns: [String]

  /// Nil when other columns lead.
  init?(_ view: CompiledView, layout: TableLayout) {
    let leading = Array(layout.primaryKey.prefix(view.keyColumns.count))
    guard Set(leading) == Set(view.keyColumns), Set(leading).count == leading.count else { return nil }
    keyColumns = leading
    let rest = Array(layout.primaryKey.dropFirst(leading.count))
    let wanted = view.eventOrder.filter { !leading.contains($0) }
    isTimeSorted = view.source.eventTime == nil || rest.first == view.source.eventTime
    sortColumns = rest == wanted ? [] : wanted
  }
}

extension ViewEvents {
  /// Whether an event at `event` is no older than `ttl` at `time`; exactly `ttl` old still counts.
  package static func holds(_ event: Int64, at time: Int64, _ ttl: Int64) -> Bool {
    let (oldest, overflow) = time.subtractingReportingOverflow(ttl)
    return overflow || event >= oldest
  }
}
