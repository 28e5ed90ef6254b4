/// DDSketch (Masson, Rim, Lee 2019) with relative accuracy 1 %: values are counted in buckets of which none is wider than that allows.
///
/// Buckets follow the cubic approximation of the logarithm that the authors' implementations use: additions and products only, so
/// that every machine counts alike. Keys ascend with values; NaN has the greatest.
enum QuantileSketch {
  static let zero: Int32 = 0
  static let infinity: Int32 = 80_000
  static let nan: Int32 = 80_001
  /// Lies above every bucket number of a double, so that keys of positive values are positive.
  private static let offset: Int32 = 40_000

  /// Buckets per doubling, approximately: 7 / (10 · ln γ) with γ = 1.01 / 0.99, since the slope of the approximation against the
  /// natural logarithm is at least 10/7.
  private static let multiplier = 0.7 / 0.020_000_666_706_669_435

  static func key(_ value: Double) -> Int32 {
    if value == 0 { return zero }
    if value.isNaN { return nan }
    let key = value.isInfinite ? infinity : bucket(value.magnitude) + offset
    return value < 0 ? -key : key
  }

  /// - Parameter value: positive and finite.
  private static func bucket(_ value: Double) -> Int32 {
    // Subnormal numbers are made normal first.
    let isSubnormal = value < .leastNormalMagnitude
    let bits = (isSubnormal ? value * 0x1p54 : value).bitPattern
    let exponent = Int(bits >> 52) - 1023 - (isSubnormal ? 54 : 0)
    let fraction = Double(bitPattern: bits & 0xF_FFFF_FFFF_FFFF | 1023 << 52) - 1
    let logarithm = ((6.0 / 35 * fraction - 0.6) * fraction + 10.0 / 7) * fraction + Double(exponent)
    return Int32((logarithm * multiplier).rounded(.down))
  }

  /// The value that stands for a bucket: no value of the bucket lies further away than 1 %.
  static func value(ofKey key: Int32) -> Double {
    if key == zero { return 0 }
    if key == nan { return .nan }
    let magnitude = abs(key)
    if magnitude == infinity { return key < 0 ? -.infinity : .infinity }
    let low = least(from: magnitude - offset)
    let high = least(from: magnitude - offset + 1)
    let middle = low * (2 / (1 + low / high))
    return key < 0 ? -middle : middle
  }

  /// The least double in this bucket or a later one; the greatest double when there is none.
  private static func least(from bucket: Int32) -> Double {
    var low: UInt64 = 1
    var high = Double.greatestFiniteMagnitude.bitPattern
    while low < high {
      let middle = (low + high) / 2
      if self.bucket(Double(bitPattern: middle)) >= bucket { high = middle } else { low = middle + 1 }
    }
    return Double(bitPattern: low)
  }

  /// The place of the quantile in the order of `count` values: the lower one where it lies between two.
  static func place(_ q: Double, count: Int) -> Int { min(Int((q * Double(count - 1)).rounded(.down)), count - 1) }

  /// Of one window's keys. - Complexity: O(keys · log(keys))
  static func value(_ q: Double, keys: [Int32]) -> Double { value(ofKey: keys.sorted()[place(q, count: keys.count)]) }
}

/// Remembers the values of buckets, which take a search each.
struct QuantileMarks {
  private var known: [Int32: Double] = [:]

  mutating func value(_ key: Int32) -> Double {
    if let value = known[key] { return value }
    let value = QuantileSketch.value(ofKey: key)
    known[key] = value
    return value
  }
}

/// The sketch of a window that values can leave again: counts of buckets, of 64 buckets, and of 4096.
///
/// - Complexity: O(1) per event; O(128 + buckets / 4096) per quantile.
struct QuantileWindow: WindowAccumulator {
  /// From 0 on.
  private let keys: [Int32]
  private let first: Int32
  private var counts: [Int32]
  private var coarse: [Int32]
  private var coarsest: [Int32]

  init(_ keys: [Int32]) {
    let low = keys.min() ?? 0
    let high = keys.max() ?? 0
    first = low
    self.keys = keys.map { $0 - low }
    let count = Int(high - low) + 1
    counts = [Int32](repeating: 0, count: count)
    coarse = [Int32](repeating: 0, count: count / 64 + 1)
    coarsest = [Int32](repeating: 0, count: count / 4096 + 1)
  }

  static var clearsAtOnce: Bool { false }
  mutating func clear(_ held: Range<Int>) { change(held, -1) }
  mutating func add(_ events: Range<Int>) { change(events, 1) }
  mutating func remove(_ events: Range<Int>) { change(events, -1) }

  private mutating func change(_ events: Range<Int>, _ step: Int32) {
    keys.withUnsafeBufferPointer { keys in
      counts.withUnsafeMutableBufferPointer { counts in
        coarse.withUnsafeMutableBufferPointer { coarse in
          coarsest.withUnsafeMutableBufferPointer { coarsest in
            for event in events {
              let key = Int(keys[event])
              counts[key] &+= step
              coarse[key &>> 6] &+= step
              coarsest[key &>> 12] &+= step
            }
          }
        }
      }
    }
  }

  /// The bucket of the value at this place in their order. - Precondition: there are more values than that.
  func key(at place: Int) -> Int32 {
    var left = Int32(place)
    var block = 0
    while coarsest[block] <= left {
      left -= coarsest[block]
      block += 1
    }
    block *= 64
    while coarse[block] <= left {
      left -= coarse[block]
      block += 1
    }
    block *= 64
    while counts[block] <= left {
      left -= counts[block]
      block += 1
    }
    return Int32(block) + first
  }
}
