import Columns

extension Column {
  /// The same values in the type that an aggregate reads; see `AggregateFunction.valueType(of:)`.
  ///
  /// - Throws: `CastError`, as `cast` does; conversions to float64 round to the nearest instead.
  func values(as type: DataType) throws -> Column {
    switch (self.type, type) {
    case (_, _) where self.type == type: return self
    case (.int64, .float64): return converted { Double($0 as Int64) }
    case (.uint64, .float64): return converted { Double($0 as UInt64) }
    case (.decimal(_, let scale), .float64): return converted { Self.double($0, scale: scale) }
    default: return try cast(to: type)
    }
  }

  private func converted<Element: BitwiseCopyable>(_ convert: (Element) -> Double) -> Column {
    let source = values(Element.self)
    let buffer = Buffer(byteCapacity: count * 8)
    // SAFETY: the buffer has just been made for this many values, and nobody else has seen it.
    let target = buffer.pointer.bindMemory(to: Double.self, capacity: count)
    for row in 0..<count { target[row] = convert(source[row]) }
    return Column(type: .float64, count: count, validity: validity, data: BufferSlice(buffer, byteCount: count * 8))
  }

  /// The double nearest to a decimal.
  private static func double(_ units: Int128, scale: Int) -> Double {
    // Both are doubles exactly, so that the division is the only rounding.
    if units.magnitude <= 1 << 53, scale <= 22 { return Double(Int64(units)) / powersOfTen[scale] }
    let shift = 256
    var quotient = BigMagnitude(units.magnitude).shifted(by: shift)
    let hasRest = quotient.divide(byPowerOfTen: scale)
    return quotient.exact(isNegative: units < 0, exponent: -shift, hasRest: hasRest).rounded()
  }

  private static let powersOfTen: [Double] = (0...22).map { (0..<$0).reduce(1.0) { power, _ in power * 10 } }
}
