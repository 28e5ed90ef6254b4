extension Column {
  /// The quotient towards the past; nil when there is a remainder and `floor` does not allow it.
  @inline(__always) static func divide(_ value: Int64, by divisor: Int64, floor: Bool) -> Int64? {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    if remainder == 0 { return quotient }
    return floor ? (remainder < 0 ? quotient - 1 : quotient) : nil
  }

  func castTimestamp(to target: DataType, _ from: TimeUnit, _ to: TimeUnit, _ options: CastOptions) throws(CastError) -> Column {
    let (mine, theirs) = (from.ticksPerSecond, to.ticksPerSecond)
    if mine == theirs { return reinterpreted(as: target) }
    if mine > theirs {
      let divisor = mine / theirs
      return try castRows(Int64.self, Int64.self, to: target) { Column.divide($0, by: divisor, floor: options.floor) }
    }
    let factor = theirs / mine
    return try castRows(Int64.self, Int64.self, to: target) { value in
      let (product, overflow) = value.multipliedReportingOverflow(by: factor)
      return overflow ? nil : product
    }
  }

  /// This integer column as int64; a uint64 that is too great is named under the final target.
  func widenedToInt64(for target: DataType) throws(CastError) -> Column {
    switch type {
    case .int8: try castRows(Int8.self, Int64.self, to: .int64) { Int64($0) }
    case .int16: try castRows(Int16.self, Int64.self, to: .int64) { Int64($0) }
    case .int32: try castRows(Int32.self, Int64.self, to: .int64) { Int64($0) }
    case .uint8: try castRows(UInt8.self, Int64.self, to: .int64) { Int64($0) }
    case .uint16: try castRows(UInt16.self, Int64.self, to: .int64) { Int64($0) }
    case .uint32: try castRows(UInt32.self, Int64.self, to: .int64) { Int64($0) }
    case .uint64:
      try castRows(UInt64.self, Int64.self, to: .int64, errorTarget: target) { Int64(exactly: $0) }
    default: self
    }
  }

  /// - Precondition: this is an int64 column, the target an integer or a float.
  func castFromInt64(to target: DataType, source: Column) throws(CastError) -> Column {
    switch target {
    case .int8: return try castRows(Int64.self, Int8.self, to: target, source: source) { Int8(exactly: $0) }
    case .int16: return try castRows(Int64.self, Int16.self, to: target, source: source) { Int16(exactly: $0) }
    case .int32: return try castRows(Int64.self, Int32.self, to: target, source: source) { Int32(exactly: $0) }
    case .uint8: return try castRows(Int64.self, UInt8.self, to: target, source: source) { UInt8(exactly: $0) }
    case .uint16: return try castRows(Int64.self, UInt16.self, to: target, source: source) { UInt16(exactly: $0) }
    case .uint32: return try castRows(Int64.self, UInt32.self, to: target, source: source) { UInt32(exactly: $0) }
    case .uint64: return try castRows(Int64.self, UInt64.self, to: target, source: source) { UInt64(exactly: $0) }
    case .float32: return try castRows(Int64.self, Float.self, to: target, source: source) { Float(exactly: $0) }
    case .float64: return try castRows(Int64.self, Double.self, to: target, source: source) { Double(exactly: $0) }
    default: return self
    }
  }

  /// - Precondition: this is a float64 column, the target an integer.
  /// - Parameter source: the column of floats that this one was widened from, or itself.
  func castIntegral(to target: DataType, _ options: CastOptions, source: Column) throws(CastError) -> Column {
    let values = self.values(Double.self)
    var whole = self
    if options.nanAsNull, (0..<count).contains(where: { values[$0].isNaN && isValid($0) }) {
      let valid = Bitmap(count: count) { isValid($0) && !values[$0].isNaN }
      whole = Column(type: type, count: count, validity: valid, data: data)
    }
    if options.unambiguous, let row = (0..<count).first(where: { values[$0].magnitude >= source.type.roundedFrom && isValid($0) }),
      target.holds(values[row])
    {
      throw CastError(from: source.type, to: target, reason: .ambiguous(row: row, source.scalar(at: row)))
    }
    if target == .uint64 {
      return try whole.castRows(Double.self, UInt64.self, to: target, source: source) { UInt64(exactly: $0) }
    }
    return try whole.castRows(Double.self, Int64.self, to: .int64, source: source, errorTarget: target) { Int64(exactly: $0) }
      .castFromInt64(to: target, source: source)
  }

  /// Multiplies or divides unscaled values by powers of ten and checks the precision.
  func castDecimal(to target: DataType, scaleStep: Int, precision: Int, source: Column? = nil) throws(CastError) -> Column {
    let power = Column.powerOfTen(abs(scaleStep))
    let limit = Column.powerOfTen(precision)
    return try castRows(Int128.self, Int128.self, to: target, source: source) { value in
      var scaled = value
      if scaleStep > 0 {
        let (product, overflow) = value.multipliedReportingOverflow(by: power)
        if overflow { return nil }
        scaled = product
      } else if scaleStep < 0 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: power)
        if remainder != 0 { return nil }
        scaled = quotient
      }
      return scaled > -limit && scaled < limit ? scaled : nil
    }
  }

  /// - Precondition: 0 <= exponent <= 38: the greatest power of ten below 2^127.
  private static func powerOfTen(_ exponent: Int) -> Int128 {
    (0..<exponent).reduce(Int128(1)) { power, _ in power * 10 }
  }
}

extension Column {
  /// The same numbers as floats, each as the nearest one: what a column of floats makes of any number. Other types as `cast` does.
  /// - Throws: for a number beyond the range of the float, and as `cast`.
  /// - Complexity: O(count)
  package func castNearest(to target: DataType) throws(CastError) -> Column {
    defer { _fixLifetime(self) }
    switch (type, target) {
    case (.float64, .float32): return try castRows(Double.self, Float.self, to: target) { Float(nearest: $0) }
    case (.uint64, .float64): return try castRows(UInt64.self, Double.self, to: target) { Double($0) }
    case (.uint64, .float32): return try castRows(UInt64.self, Float.self, to: target) { Float($0) }
    case (_, .float64) where type.isInteger:
      return try widenedToInt64(for: target).castRows(Int64.self, Double.self, to: target) { Double($0) }
    case (_, .float32) where type.isInteger:
      return try widenedToInt64(for: target).castRows(Int64.self, Float.self, to: target) { Float($0) }
    default: return try cast(to: target)
    }
  }
}

extension DataType {
  /// The least float to which more than one integer is rounded: the digits of the format are full there.
  fileprivate var roundedFrom: Double {
    switch self {
    case .float16: 0x1p11
    case .float32: 0x1p24
    default: 0x1p53
    }
  }

  /// Whether an integer type has a value that equals the double.
  fileprivate func holds(_ value: Double) -> Bool {
    switch self {
    case .int8: Int8(exactly: value) != nil
    case .int16: Int16(exactly: value) != nil
    case .int32: Int32(exactly: value) != nil
    case .int64: Int64(exactly: value) != nil
    case .uint8: UInt8(exactly: value) != nil
    case .uint16: UInt16(exactly: value) != nil
    case .uint32: UInt32(exactly: value) != nil
    case .uint64: UInt64(exactly: value) != nil
    default: false
    }
  }
}

extension Float {
  /// The float nearest to a double; nil for a finite one beyond the range of floats.
  package init?(nearest value: Double) {
    self.init(value)
    if isInfinite && value.isFinite || self == 0 && value != 0 { return nil }
  }
}
