import Columns

/// For label rows the values that were known of their entities at their times.
package enum PointInTimeJoin {
  /// One column per feature of the view, in label order.
  ///
  /// - Parameters:
  ///   - keys: the entity's keys in its order, of the types that the entity declares; null for no entity.
  ///   - times: `timestampMicros`, without nulls.
  /// - Throws: `evaluation` when an integer sum exceeds int64, naming the label row.
  /// - Complexity: O(labels + events that enter or leave a window), plus the sort of labels that are not in the order of time.
  package static func join(view: CompiledView, events: ViewEvents, keys: [Column], times: Column) throws -> [Column] {
    precondition(times.type == .timestampMicros && times.nullCount == 0, "Label times are microseconds without nulls")
    precondition(keys.allSatisfy { $0.count == times.count }, "Keys and times differ in length")
    guard times.count < Int(Int32.max) else {
      throw FeatureError(.labels, "Cannot join \(times.count) label rows at once: expected at most 2147483646")
    }
    let entities = try entities(of: keys, in: events.index, view: view)
    let labels = LabelOrder(entities: entities, times: times.values(Int64.self), events: events)
    var latest: [Int32]?
    var windows: [Window: [Int32]?] = [:]
    var columns: [Column] = []
    for (feature, input) in zip(view.features, events.features) {
      switch input {
      case .value(let values):
        let rows = latest ?? latestEvents(labels, events)
        latest = rows
        columns.append(values.take(rows))
      case .aggregate(let input):
        let starts = windows[input.window] ?? labels.starts(ofWindow: input.window, events)
        windows[input.window] = .some(starts)
        do {
          columns.append(try SlidingAggregate.evaluate(input, labels, starts: starts))
        } catch {
          throw FeatureError(.evaluation, "\(view.title): feature \(feature.name): \(error.text)", row: error.row)
        }
      }
    }
    return columns
  }

  private static func entities(of keys: [Column], in index: EntityIndex, view: CompiledView) throws -> [Int32] {
    do {
      var keys = try keys.map { key in try key.cast(to: key.type.entityKeyType) }
      let count = keys[0].count
      var whole: Bitmap?
      for validity in keys.compactMap(\.validity) { whole = whole.map { $0.intersection(validity) } ?? validity }
      guard let whole else { return index.findAll(try KeyEncoder.encodeAll(keys, rows: 0..<count)) }
      let rows = whole.setIndices
      keys = keys.map { $0.take(rows) }
      var entities = [Int32](repeating: -1, count: count)
      let found = index.findAll(try KeyEncoder.encodeAll(keys, rows: 0..<rows.count))
      for (place, row) in rows.enumerated() { entities[Int(row)] = found[place] }
      return entities
    } catch let error as KeyError {
      throw FeatureError(.labels, "\(view.title): \(error)")
    } catch let error as CastError {
      throw FeatureError(.labels, "\(view.title): \(error)")
    }
  }

  /// Per label row the newest event up to its time that is no older than the ttl, or -1.
  private static func latestEvents(_ labels: LabelOrder, _ events: ViewEvents) -> [Int32] {
    var rows = [Int32](repeating: -1, count: labels.labelCount)
    for group in labels.groups {
      for place in group.places {
        let last = Int(labels.ends[place]) - 1
        guard last >= group.events.lowerBound else { continue }
        if let times = events.times, let ttl = events.ttlMicros, !ViewEvents.holds(times[last], at: labels.times[place], ttl) { continue }
        rows[Int(labels.rows[place])] = Int32(last)
      }
    }
    return rows
  }
}

extension ViewEvents {
  /// Whether an event at `event` is no older than `ttl` at `time`; exactly `ttl` old still counts.
  package static func holds(_ event: Int64, at time: Int64, _ ttl: Int64) -> Bool {
    let (oldest, overflow) = time.subtractingReportingOverflow(ttl)
    return overflow || event >= oldest
  }
}
