import Columns

/// What a feature reads of every event of its view.
package enum FeatureEvents: Sendable {
  /// The expression's values, canonical.
  case value(Column)
  case aggregate(AggregateInput)
}

/// The events of a view, sorted by (entity, event time, created time, rest of the key), ready for lookups at any time.
///
/// Holds no row that fails the view's `where` or has a null key. The join reads it in memory; the online image is the
/// same structure in a mapped file, so that both compute with the same code.
package struct ViewEvents: Sendable {
  package let index: EntityIndex
  /// Per entity its first event, and behind the last the number of events.
  package let starts: Values<UInt32>
  /// Micros, ascending within an entity; nil for a timeless view.
  package let times: Values<Int64>?
  /// Micros from which on each event is known, never before its time; nil when all are known at their time.
  package let known: Values<Int64>?
  /// In the order of the view's features.
  package let features: [FeatureEvents]
  package let featureTypes: [DataType]
  package let ttlMicros: Int64?
  package let eventCount: Int

  package init(
    index: EntityIndex, starts: Values<UInt32>, times: Values<Int64>?, known: Values<Int64>?, features: [FeatureEvents],
    featureTypes: [DataType], ttlMicros: Int64?, eventCount: Int
  ) {
    self.index = index
    self.starts = starts
    self.times = times
    self.known = known
    self.features = features
    self.featureTypes = featureTypes
    self.ttlMicros = ttlMicros
    self.eventCount = eventCount
  }

  package var entityCount: Int { index.count }

  /// The events of an entity.
  @inline(__always) package func events(of entity: Int) -> Range<Int> {
    Range(uncheckedBounds: (lower: Int(starts.base[entity]), upper: Int(starts.base[entity &+ 1])))
  }

  /// The first event of the range with a time above `time`, else the range's end; the range's end when timeless.
  /// - Complexity: O(log(events))
  package func end(upTo time: Int64, in range: Range<Int>) -> Int {
    guard let times else { return range.upperBound }
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low + high) / 2
      if times[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension DataType {
  /// The type under which keys of this type are compared and hashed: integers as int64, timestamps in microseconds.
  package var entityKeyType: DataType {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32: .int64
    case .timestamp: .timestampMicros
    default: self
    }
  }
}
