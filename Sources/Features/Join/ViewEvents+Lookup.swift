import Columns

/// An entity at a time: the events that it may see.
package struct EntityMoment: Sendable {
  /// All events up to the time; empty for an unknown entity.
  let events: Range<Int>
  /// Of them the newest one that is known.
  let newest: Int?
  let time: Int64
}

extension ViewEvents {
  /// - Parameter entity: nil for an unknown one.
  /// - Complexity: O(log(events of the entity) + events that are newer than the newest known one)
  package func moment(of entity: Int?, at time: Int64) -> EntityMoment {
    guard let entity else { return EntityMoment(events: 0..<0, newest: nil, time: time) }
    let all = events(of: entity)
    let events = all.lowerBound..<end(upTo: time, in: all)
    return EntityMoment(events: events, newest: newestKnown(at: time, in: events), time: time)
  }

  /// The newest event of the range that is known at a time.
  package func newestKnown(at time: Int64, in events: Range<Int>) -> Int? {
    guard let known else { return events.last }
    return events.last { known[$0] <= time }
  }

  /// What `PointInTimeJoin` gives for this entity and time, bit for bit, and why.
  /// - Complexity: O(1) for an expression, O(events in the window) for an aggregate
  package func value(of feature: Int, at moment: EntityMoment) -> FeatureValue {
    switch features[feature] {
    case .value(let values):
      guard let last = moment.newest else { return .notFound }
      let time = times?[last] ?? 0
      if times != nil, let ttlMicros, !Self.holds(time, at: moment.time, ttlMicros) {
        return FeatureValue(.null, .outsideMaxAge, eventTimeMicros: time)
      }
      let value = values.scalar(at: last)
      return FeatureValue(value, value == .null ? .nullValue : .present, eventTimeMicros: time)
    case .aggregate(let input):
      var start = moment.events.lowerBound
      if times != nil, let before = AggregateInput.exclusiveStart(of: input.window, at: moment.time) {
        start = end(upTo: before, in: moment.events)
      }
      return aggregate(input, start..<moment.events.upperBound, at: moment.time)
    }
  }

  private func aggregate(_ input: AggregateInput, _ window: Range<Int>, at time: Int64) -> FeatureValue {
    if let known, window.contains(where: { known[$0] > time }) {
      let isKnown = window.map { known[$0] <= time && (input.passing?[$0] ?? true) }
      return aggregate(input.slice(window, passing: isKnown), 0..<window.count, first: window.lowerBound)
    }
    return aggregate(input, window, first: 0)
  }

  /// - Parameter first: the event that the input begins with.
  private func aggregate(_ input: AggregateInput, _ window: Range<Int>, first: Int) -> FeatureValue {
    let newest = window.last { input.passing?[$0] ?? true }
    let time = newest.map { times?[first + $0] ?? 0 } ?? 0
    switch WindowValue.evaluate(input, window) {
    case .some(.some(let value)): return FeatureValue(value, .present, eventTimeMicros: time)
    case .some(.none): return newest == nil ? .notFound : FeatureValue(.null, .nullValue, eventTimeMicros: time)
    case .none: return FeatureValue(.null, .invalid, eventTimeMicros: time)
    }
  }
}
