import Columns

/// HyperLogLog with 2^14 registers: how many different values there are, within a standard error of 0.8 %.
///
/// The estimate depends only on how many registers hold which rank, so it is the same however values were added, taken out or
/// merged. It is that of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), section 4, which needs no
/// correction by tables: unbiased from one value on.
enum DistinctSketch {
  static let precision = 14
  static let registerCount = 1 << precision
  /// Bits of a hash behind those that choose the register.
  static let rankMax = 64 - precision + 1

  /// Per row its register times 64 plus its rank.
  /// - Parameter values: canonical; hashed are the bytes of a string, decimals in 16 bytes, everything else in 8.
  static func keys(_ values: Column, rows: Range<Int>) -> [UInt32] {
    if values.type == .string || values.type == .binary {
      let bytes = values.bytes
      defer { _fixLifetime(values) }
      return rows.map { key(XXH3.hash64(bytes[$0], seed: 0)) }
    }
    if values.type.isDecimal {
      let numbers = values.values(Int128.self)
      return rows.map { row in withUnsafeBytes(of: numbers[row].littleEndian) { key(XXH3.hash64($0, seed: 0)) } }
    }
    let words = values.slice(from: rows.lowerBound, count: rows.count).ordered.values(Int64.self)
    return (0..<rows.count).map { row in withUnsafeBytes(of: words[row].littleEndian) { key(XXH3.hash64($0, seed: 0)) } }
  }

  /// The keys with their registers numbered from 0 on, and how many registers those are.
  ///
  /// - Complexity: O(keys · log(keys)) for few keys, O(keys + registers) for many
  static func compacted(_ keys: [UInt32]) -> (keys: [UInt32], registerCount: Int) {
    if keys.count < compactedCountMax {
      var registers = keys.map { $0 &>> 6 }
      registers.sort()
      var count = 0
      for register in registers where count == 0 || registers[count - 1] != register {
        registers[count] = register
        count += 1
      }
      let compact = keys.map { key -> UInt32 in
        var (low, high) = (0, count)
        while low < high {
          let middle = (low + high) / 2
          if registers[middle] < key &>> 6 { low = middle + 1 } else { high = middle }
        }
        return UInt32(low) &<< 6 | key & 63
      }
      return (compact, count)
    }
    var places = [UInt32](repeating: .max, count: registerCount)
    var count: UInt32 = 0
    let compact = keys.map { key -> UInt32 in
      let register = Int(key &>> 6)
      if places[register] == .max {
        places[register] = count
        count += 1
      }
      return places[register] &<< 6 | key & 63
    }
    return (compact, Int(count))
  }

  /// Below it sorting takes less time than a table of all registers.
  private static let compactedCountMax = registerCount / 16

  @inline(__always) static func key(_ hash: UInt64) -> UInt32 {
    let register = UInt32(truncatingIfNeeded: hash &>> UInt64(64 - precision))
    let rest = hash &<< UInt64(precision)
    let rank = min(rest.leadingZeroBitCount &+ 1, rankMax)
    return register &<< 6 | UInt32(truncatingIfNeeded: rank)
  }

  /// - Parameter histogram: per rank 0...`rankMax` the number of registers that hold it.
  static func estimate(_ histogram: UnsafePointer<Int32>) -> Int64 {
    let m = Double(registerCount)
    var z = m * tau(1 - Double(histogram[rankMax]) / m)
    for rank in (1..<rankMax).reversed() { z = 0.5 * (z + Double(histogram[rank])) }
    z += m * sigma(Double(histogram[0]) / m)
    // 1 / (2 ln 2)
    return Int64((0.721_347_520_444_481_7 * m * m / z).rounded())
  }

  private static func sigma(_ start: Double) -> Double {
    guard start < 1 else { return .infinity }
    var (x, y, z) = (start, 1.0, start)
    while true {
      x *= x
      let before = z
      z += x * y
      y += y
      if z == before { return z }
    }
  }

  private static func tau(_ start: Double) -> Double {
    guard start > 0, start < 1 else { return 0 }
    var (x, y, z) = (start, 1.0, 1 - start)
    while true {
      x = x.squareRoot()
      let before = z
      y *= 0.5
      z -= (1 - x) * (1 - x) * y
      if z == before { return z / 3 }
    }
  }

  /// Of one window's keys. - Complexity: O(keys · log(keys)), at most O(keys + registers)
  static func estimate(_ keys: [UInt32]) -> Int64 {
    var histogram = [Int32](repeating: 0, count: 64)
    if keys.count < registerCount / 8 {
      // Sorted, the last key of a register has its greatest rank.
      let sorted = keys.sorted()
      var held: Int32 = 0
      for (index, key) in sorted.enumerated() where index + 1 == sorted.count || sorted[index + 1] >> 6 != key >> 6 {
        histogram[Int(key & 63)] += 1
        held += 1
      }
      histogram[0] = Int32(registerCount) - held
    } else {
      var ranks = [UInt8](repeating: 0, count: registerCount)
      for key in keys { ranks[Int(key >> 6)] = max(ranks[Int(key >> 6)], UInt8(key & 63)) }
      for rank in ranks { histogram[Int(rank)] += 1 }
    }
    return histogram.withUnsafeBufferPointer { histogram in
      guard let base = histogram.baseAddress else { preconditionFailure("A histogram has 64 ranks") }
      return estimate(base)
    }
  }
}

/// The sketch of a window that values can leave again: per register and rank how many values have it.
///
/// - Complexity: O(1) per event; O(ranks) per estimate; memory O(registers that the keys have).
struct DistinctWindow: WindowAccumulator {
  private let keys: [UInt32]
  private let buffer: Buffer
  // SAFETY: the three lie in `buffer`, one behind the other; keys are below its number of registers · 64.
  private let counts: UnsafeMutablePointer<Int32>
  /// Per register a bit for every rank that some value has.
  private let ranks: UnsafeMutablePointer<UInt64>
  private let histogram: UnsafeMutablePointer<Int32>

  init(_ allKeys: [UInt32]) {
    // An estimate counts registers and does not know which ones, so those without a key need no memory but in the histogram.
    let registers: Int
    (keys, registers) = DistinctSketch.compacted(allKeys)
    buffer = Buffer(byteCapacity: registers * 64 * 4 + registers * 8 + 64 * 4, zeroed: true)
    ranks = buffer.pointer.bindMemory(to: UInt64.self, capacity: registers)
    counts = (buffer.pointer + registers * 8).bindMemory(to: Int32.self, capacity: registers * 64)
    histogram = (buffer.pointer + registers * 8 + registers * 64 * 4).bindMemory(to: Int32.self, capacity: 64)
    histogram[0] = Int32(DistinctSketch.registerCount)
  }

  static var clearsAtOnce: Bool { false }
  mutating func clear(_ held: Range<Int>) { remove(held) }

  @inline(__always) private func greatest(_ ranks: UInt64) -> Int { ranks == 0 ? 0 : 63 &- ranks.leadingZeroBitCount }

  mutating func add(_ events: Range<Int>) {
    keys.withUnsafeBufferPointer { keys in
      for event in events {
        let key = Int(keys[event])
        counts[key] &+= 1
        guard counts[key] == 1 else { continue }
        let before = ranks[key &>> 6]
        ranks[key &>> 6] = before | 1 &<< UInt64(key & 63)
        change(before, ranks[key &>> 6])
      }
    }
  }

  mutating func remove(_ events: Range<Int>) {
    keys.withUnsafeBufferPointer { keys in
      for event in events {
        let key = Int(keys[event])
        counts[key] &-= 1
        guard counts[key] == 0 else { continue }
        let before = ranks[key &>> 6]
        ranks[key &>> 6] = before & ~(1 &<< UInt64(key & 63))
        change(before, ranks[key &>> 6])
      }
    }
  }

  @inline(__always) private func change(_ before: UInt64, _ after: UInt64) {
    histogram[greatest(before)] &-= 1
    histogram[greatest(after)] &+= 1
  }

  var estimate: Int64 { DistinctSketch.estimate(histogram) }
}
