import Columns

/// A row rule prepared for one column: it finds failing rows without making a value of any row that passes.
enum RowTest: Sendable {
  enum Bound: Sendable { case minimum, maximum, exclusiveMinimum, exclusiveMaximum }

  case required
  case bound(Bound, Scalar)
  case minLength(Int)
  case maxLength(Int)
  case pattern(Pattern)
  case validIntegers([Int64])
  case validFloats([Double])
  case validDecimals([Int128])
  case validStrings(SortedStrings)

  /// Nil for rules that are not about single rows.
  init?(_ kind: Rule.Kind) throws(PatternError) {
    switch kind {
    case .required: self = .required
    case .minimum(let value): self = .bound(.minimum, value)
    case .maximum(let value): self = .bound(.maximum, value)
    case .exclusiveMinimum(let value): self = .bound(.exclusiveMinimum, value)
    case .exclusiveMaximum(let value): self = .bound(.exclusiveMaximum, value)
    case .minLength(let length): self = .minLength(length)
    case .maxLength(let length): self = .maxLength(length)
    case .pattern(let text): self = .pattern(try Pattern(text))
    case .validValues(let values): self.init(validValues: values)
    case .primaryKeyUnique, .rowCount: return nil
    }
  }

  private init(validValues values: [Scalar]) {
    var integers: [Int64] = []
    var floats: [Double] = []
    var decimals: [Int128] = []
    var strings: [String] = []
    for value in values {
      switch value {
      case .bool(let value): integers.append(value ? 1 : 0)
      case .int(let value), .timestamp(let value, _): integers.append(value)
      case .date(let value): integers.append(Int64(value))
      case .float(let value): floats.append(Double(value))
      case .double(let value): floats.append(value)
      case .decimal(let value, _): decimals.append(value)
      case .string(let value): strings.append(value)
      case .null, .uint, .binary, .time, .duration, .list, .structure: break
      }
    }
    if !strings.isEmpty {
      self = .validStrings(SortedStrings(strings))
    } else if !floats.isEmpty {
      self = .validFloats(floats.sorted())
    } else if !decimals.isEmpty {
      self = .validDecimals(decimals.sorted())
    } else {
      self = .validIntegers(integers.sorted())
    }
  }

  /// How many values of the column fail, and the first of their rows.
  ///
  /// - Parameter rowCountMax: how many rows are named at most.
  /// - Complexity: O(rows); nothing is allocated while rows pass.
  func failures(in column: Column, rowCountMax: Int) -> RowFailures {
    var found = RowFailures(rowCountMax: rowCountMax)
    switch self {
    case .required:
      guard let validity = column.validity else { break }
      found.scan(count: column.count, validity: nil) { !validity[$0] }
    case .bound(let bound, let limit): Self.check(bound, limit, column, &found)
    case .minLength(let length):
      let bytes = column.bytes
      found.scanValid(count: column.count, validity: column.validity) { row in
        let value = bytes[row]
        // A scalar takes 1 to 4 bytes.
        return value.count < length &* 4 && (value.count < length || Self.scalarCount(value) < length)
      }
    case .maxLength(let length):
      let bytes = column.bytes
      found.scanValid(count: column.count, validity: column.validity) { row in
        let value = bytes[row]
        return value.count > length && Self.scalarCount(value) > length
      }
    case .pattern(let pattern):
      let bytes = column.bytes
      let matcher = Pattern.Matcher(pattern)
      found.scanValid(count: column.count, validity: column.validity) { !matcher.matches(bytes[$0]) }
    case .validStrings(let valid):
      let bytes = column.bytes
      found.scanValid(count: column.count, validity: column.validity) { !valid.contains(bytes[$0]) }
    case .validIntegers(let valid): Self.check(valid, column, &found)
    case .validFloats(let valid):
      if column.type == .float32 {
        Self.checkMembership(of: Float.self, in: valid.map { Float($0) }, column, &found)
      } else {
        Self.checkMembership(of: Double.self, in: valid, column, &found)
      }
    case .validDecimals(let valid): Self.checkMembership(of: Int128.self, in: valid, column, &found)
    }
    return found
  }

  /// Unicode scalars in UTF-8: the bytes that do not continue one.
  private static func scalarCount(_ bytes: UnsafeRawBufferPointer) -> Int {
    var count = 0
    for byte in bytes { count &+= byte & 0xC0 == 0x80 ? 0 : 1 }
    return count
  }

  // MARK: bounds

  private static func check(_ bound: Bound, _ limit: Scalar, _ column: Column, _ found: inout RowFailures) {
    switch (limit, column.type) {
    case (.int(let limit), .int8): check(bound, Int8(clamping: limit), column, &found)
    case (.int(let limit), .int16): check(bound, Int16(clamping: limit), column, &found)
    case (.int(let limit), .int32): check(bound, Int32(clamping: limit), column, &found)
    case (.int(let limit), .int64), (.timestamp(let limit, _), .timestamp): check(bound, limit, column, &found)
    case (.date(let limit), .date): check(bound, limit, column, &found)
    case (.float(let limit), .float32): check(bound, limit, column, &found)
    case (.double(let limit), .float64): check(bound, limit, column, &found)
    case (.decimal(let limit, _), .decimal): check(bound, limit, column, &found)
    default: preconditionFailure("A bound \(limit) was made for another type than \(column.type)")
    }
  }

  @inline(__always)
  private static func check<Value: Comparable & BitwiseCopyable>(
    _ bound: Bound, _ limit: Value, _ column: Column, _ found: inout RowFailures
  ) {
    column.values(Value.self).withPointer { values in
      // The negated comparisons let NaN fail.
      switch bound {
      case .minimum: found.scan(count: column.count, validity: column.validity) { !(values[$0] >= limit) }
      case .maximum: found.scan(count: column.count, validity: column.validity) { !(values[$0] <= limit) }
      case .exclusiveMinimum: found.scan(count: column.count, validity: column.validity) { !(values[$0] > limit) }
      case .exclusiveMaximum: found.scan(count: column.count, validity: column.validity) { !(values[$0] < limit) }
      }
    }
  }

  // MARK: membership

  private static func check(_ valid: [Int64], _ column: Column, _ found: inout RowFailures) {
    switch column.type {
    case .bool:
      let bits = column.bits
      let (allowsTrue, allowsFalse) = (valid.contains(1), valid.contains(0))
      found.scan(count: column.count, validity: column.validity) { bits[$0] ? !allowsTrue : !allowsFalse }
    case .int8: checkMembership(of: Int8.self, in: valid.map { Int8(clamping: $0) }, column, &found)
    case .int16: checkMembership(of: Int16.self, in: valid.map { Int16(clamping: $0) }, column, &found)
    case .int32, .date: checkMembership(of: Int32.self, in: valid.map { Int32(clamping: $0) }, column, &found)
    case .int64, .timestamp: checkMembership(of: Int64.self, in: valid, column, &found)
    default: preconditionFailure("Valid values were made for another type than \(column.type)")
    }
  }

  @inline(__always)
  private static func checkMembership<Value: Comparable & BitwiseCopyable>(
    of _: Value.Type, in valid: [Value], _ column: Column, _ found: inout RowFailures
  ) {
    column.values(Value.self).withPointer { values in
      valid.withUnsafeBufferPointer { valid in
        found.scanValid(count: column.count, validity: column.validity) { row in
          let value = values[row]
          let place = valid.partitioningIndex { $0 >= value }
          return place == valid.count || valid[place] != value
        }
      }
    }
  }
}

/// The failing rows that one test found in one column.
struct RowFailures {
  let rowCountMax: Int
  var count = 0
  /// Row indices, ascending, at most `rowCountMax`.
  var rows: [Int] = []

  init(rowCountMax: Int) { self.rowCountMax = rowCountMax }

  /// For tests that are cheap and safe on the bytes under a null: counts without branches, block by block, and looks
  /// closer only where a block fails.
  @inline(__always)
  mutating func scan(count total: Int, validity: Bitmap?, _ fails: (Int) -> Bool) {
    // Large enough to pay for the loop's set-up, small enough that a second look is cheap.
    let blockRowCount = 2048
    var start = 0
    while start < total {
      let end = min(start + blockRowCount, total)
      var suspects = 0
      for row in start..<end { suspects &+= fails(row) ? 1 : 0 }
      if suspects > 0 {
        for row in start..<end where fails(row) && (validity.map { $0[row] } ?? true) { note(row) }
      }
      start = end
    }
  }

  /// For tests that are dear: asks about valid rows only, each once.
  @inline(__always)
  mutating func scanValid(count total: Int, validity: Bitmap?, _ fails: (Int) -> Bool) {
    if let validity {
      for row in 0..<total where validity[row] && fails(row) { note(row) }
    } else {
      for row in 0..<total where fails(row) { note(row) }
    }
  }

  private mutating func note(_ row: Int) {
    count += 1
    if rows.count < rowCountMax { rows.append(row) }
  }
}

/// Strings in one run of bytes, ascending, for lookups that compare bytes in place.
struct SortedStrings: Sendable {
  private let bytes: [UInt8]
  private let ends: [Int]

  init(_ strings: [String]) {
    let sorted = Set(strings.map { Array($0.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
    bytes = sorted.flatMap { $0 }
    var end = 0
    ends = sorted.map { string in
      end += string.count
      return end
    }
  }

  /// - Complexity: O(log n) comparisons
  func contains(_ value: UnsafeRawBufferPointer) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var low = 0
      var high = ends.count
      while low < high {
        let middle = (low + high) / 2
        let candidate = bytes[(middle == 0 ? 0 : ends[middle - 1])..<ends[middle]]
        let order = Self.compare(UnsafeRawBufferPointer(rebasing: candidate), value)
        if order == 0 { return true }
        if order < 0 { low = middle + 1 } else { high = middle }
      }
      return false
    }
  }

  private static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    for index in 0..<common where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
    return a.count - b.count
  }
}

extension UnsafeBufferPointer {
  /// The first index at which a sorted buffer's `belongsInSecondHalf` holds.
  @inline(__always)
  fileprivate func partitioningIndex(where belongsInSecondHalf: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongsInSecondHalf(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
