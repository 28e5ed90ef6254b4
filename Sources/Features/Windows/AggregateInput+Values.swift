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
    case (.decimal(_, let scale), .float64): return converted { DecimalMath.double($0, scale: scale) }
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
}
