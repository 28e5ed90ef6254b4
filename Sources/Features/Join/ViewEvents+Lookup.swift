import Columns

/// An entity at a time: the events that it may see.
package struct EntityMoment: Sendable {
  /// All events up to the time; empty for an unknown entity.
  let events: Range<Int>
  let time: Int64
}

extension ViewEvents {
  /// - Parameter entity: nil for an unknown one.
  /// - Complexity: O(log(events of the entity))
  package func moment(of entity: Int?, at time: Int64) -> EntityMoment {
    guard let entity else { return EntityMoment(events: 0..<0, time: time) }
    let all = events(of: entity)
    return EntityMoment(events: all.lowerBound..<end(upTo: time, in: all), time: time)
  }

  /// What `PointInTimeJoin` gives for this entity and time, bit for bit, and why.
  /// - Complexity: O(1) for an expression, O(events in the window) for an aggregate
  package func value(of feature: Int, at moment: EntityMoment) -> FeatureValue {
    switch features[feature] {
    case .value(let values):
      guard let last = moment.events.last else { return .notFound }
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
      return aggregate(input, start..<moment.events.upperBound)
    }
  }

  private func aggregate(_ input: AggregateInput, _ window: Range<Int>) -> FeatureValue {
    let newest = window.last { input.passing?[$0] ?? true }
    let time = newest.map { times?[$0] ?? 0 } ?? 0
    switch WindowValue.evaluate(input, window) {
    case .some(.some(let value)): return FeatureValue(value, .present, eventTimeMicros: time)
    case .some(.none): return newest == nil ? .notFound : FeatureValue(.null, .nullValue, eventTimeMicros: time)
    case .none: return FeatureValue(.null, .invalid, eventTimeMicros: time)
    }
  }
}
