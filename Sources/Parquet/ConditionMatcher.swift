import Columns

/// What is known about the values of a chunk or page of a flat column.
struct Zone {
  var least: ValueKey?
  var greatest: ValueKey?
  var nullCount: Int?
  let rowCount: Int

  /// - Parameter hasTypeOrder: whether the footer says that `min_value` and `max_value` follow the type's order.
  init(_ statistics: FooterDetail.Statistics?, _ keys: ValueKeys, rowCount: Int, hasTypeOrder: Bool) {
    self.rowCount = rowCount
    guard let statistics else { return }
    nullCount = statistics.nullCount.flatMap { (0...rowCount).contains($0) ? $0 : nil }
    if hasTypeOrder {
      set(statistics.least, statistics.greatest, keys)
    } else if Self.isSignedNumber(keys.type) {
      // The old fields were always compared as signed numbers: right for these types alone.
      set(statistics.legacyLeast, statistics.legacyGreatest, keys)
    }
  }

  init(_ index: ColumnIndexDetail, _ page: Int, _ keys: ValueKeys, rowCount: Int) {
    self.rowCount = rowCount
    nullCount = index.isNullPage[page] ? rowCount : index.nullCounts.flatMap { (0...rowCount).contains($0[page]) ? $0[page] : nil }
    if !index.isNullPage[page] { set(index.least[page], index.greatest[page], keys) }
  }

  private mutating func set(_ low: [UInt8]?, _ high: [UInt8]?, _ keys: ValueKeys) {
    guard let low = low.flatMap({ keys.key(stored: $0) }), let high = high.flatMap({ keys.key(stored: $0) }),
      ValueKey.isLess(high, low) == false
    else { return }
    (least, greatest) = (low, high)
  }

  private static func isSignedNumber(_ type: DataType) -> Bool {
    switch type {
    case .int8, .int16, .int32, .int64, .float32, .float64, .date, .time, .timestamp, .duration: true
    default: false
    }
  }
}

/// A condition in the form in which zones answer it.
struct ConditionMatcher {
  private enum Form {
    /// The condition cannot be answered.
    case anything
    case isNull
    case isNotNull
    case oneOf([ValueKey])
    case range(lower: ValueKey?, lowerInclusive: Bool, upper: ValueKey?, upperInclusive: Bool)
  }

  private let form: Form
  /// What a filter must contain one of; nil when it cannot be asked.
  let hashes: [UInt64]?

  var asksForNullsOnly: Bool {
    switch form {
    case .isNull, .isNotNull: true
    default: false
    }
  }

  init(_ test: ColumnCondition.Test, _ keys: ValueKeys) {
    switch test {
    case .isNull: (form, hashes) = (.isNull, nil)
    case .isNotNull: (form, hashes) = (.isNotNull, nil)
    case .equals(let value): (form, hashes) = Self.values([value], keys)
    case .isOneOf(let values): (form, hashes) = Self.values(values, keys)
    case .range(let lower, let upper):
      hashes = nil
      let (low, high) = (lower.flatMap { keys.key($0.value) }, upper.flatMap { keys.key($0.value) })
      // A bound without a key bounds nothing.
      form =
        low == nil && high == nil
        ? .anything
        : .range(lower: low, lowerInclusive: lower?.isInclusive ?? true, upper: high, upperInclusive: upper?.isInclusive ?? true)
    }
  }

  private static func values(_ scalars: [Scalar], _ keys: ValueKeys) -> (Form, [UInt64]?) {
    var found: [ValueKey] = []
    var hashes: [UInt64]? = []
    for scalar in scalars {
      guard let key = keys.key(scalar) else { return (.anything, nil) }
      found.append(key)
      if let more = keys.hashes(scalar) { hashes?.append(contentsOf: more) } else { hashes = nil }
    }
    return (.oneOf(found), hashes)
  }

  func mayMatch(_ zone: Zone) -> Bool {
    if case .isNull = form { return zone.nullCount != 0 }
    if case .anything = form { return true }
    if zone.nullCount == zone.rowCount { return false }
    guard let least = zone.least, let greatest = zone.greatest else { return true }
    switch form {
    case .oneOf(let keys): return keys.contains { ValueKey.isLess($0, least) != true && ValueKey.isLess(greatest, $0) != true }
    case .range(let lower, let lowerInclusive, let upper, let upperInclusive):
      if let lower, ValueKey.isLess(greatest, lower) == true { return false }
      if let upper, ValueKey.isLess(upper, least) == true { return false }
      if let lower, !lowerInclusive, ValueKey.isLess(lower, greatest) == false { return false }
      if let upper, !upperInclusive, ValueKey.isLess(least, upper) == false { return false }
      return true
    case .anything, .isNull, .isNotNull: return true
    }
  }
}
