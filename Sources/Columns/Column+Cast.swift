/// What a cast may give up; nothing by default.
struct CastOptions {
  let nanAsNull: Bool
  let floor: Bool
  let unambiguous: Bool
}

extension Column {
  /// The same values as another type, or an error that names the first row and value that would change.
  ///
  /// Integers to integers, floats and decimals; floats to each other and to integers; decimals to decimals; timestamps
  /// between units and zones (instants stay, a zone-less one is read as UTC); date and timestamp; string and binary; a column
  /// of nulls alone to any flat type.
  /// - Parameter nanAsNull: NaN becomes null where the target is an integer.
  /// - Parameter floor: a timestamp may lose what lies below the coarser unit, towards the past.
  /// - Parameter unambiguous: a float is an integer only where no other one is rounded to it (float64 below 2^53): for what names
  ///   something, and may have been an integer before.
  /// - Complexity: O(count); O(1) where the memory stays the same.
  package func cast(
    to target: DataType, nanAsNull: Bool = false, floor: Bool = false, unambiguous: Bool = false
  ) throws(CastError) -> Column {
    defer { _fixLifetime(self) }
    if type == target { return self }
    let options = CastOptions(nanAsNull: nanAsNull, floor: floor, unambiguous: unambiguous)
    if count > 0 && nullCount == count && !target.isNested { return Column(target, placeholders: count, isNullable: true) }
    switch (type, target) {
    case (.fixedBinary, .binary): return castToBinary()
    case (.float16, _) where target.isInteger:
      return try castRows(Float16.self, Double.self, to: .float64) { Double($0) }.castIntegral(to: target, options, source: self)
    case (.float16, _):
      let wide = try castRows(Float16.self, Float.self, to: .float32) { Float($0) }
      return try wide.cast(to: target, nanAsNull: nanAsNull, floor: floor)
    case (.string, .binary): return reinterpreted(as: .binary)
    case (.binary, .string): return try castToString()
    case (.timestamp(let from, _), .timestamp(let to, _)): return try castTimestamp(to: target, from, to, options)
    case (.date, .timestamp(let unit, _)):
      let ticks = unit.ticksPerSecond * 86_400
      return try castRows(Int32.self, Int64.self, to: target) { days in
        let (value, overflow) = Int64(days).multipliedReportingOverflow(by: ticks)
        return overflow ? nil : value
      }
    case (.timestamp(let unit, _), .date):
      let ticks = unit.ticksPerSecond * 86_400
      return try castRows(Int64.self, Int32.self, to: target) { value in
        Column.divide(value, by: ticks, floor: options.floor).flatMap { Int32(exactly: $0) }
      }
    case (.decimal(_, let from), .decimal(let precision, let to)):
      return try castDecimal(to: target, scaleStep: to - from, precision: precision)
    case (_, .decimal(let precision, let scale)) where type.isInteger:
      let wide =
        type == .uint64
        ? try castRows(UInt64.self, Int128.self, to: target) { Int128($0) }
        : try widenedToInt64(for: target).castRows(Int64.self, Int128.self, to: target) { Int128($0) }
      return try wide.castDecimal(to: target, scaleStep: scale, precision: precision, source: self)
    case (.uint64, .float64): return try castRows(UInt64.self, Double.self, to: target) { Double(exactly: $0) }
    case (.uint64, .float32): return try castRows(UInt64.self, Float.self, to: target) { Float(exactly: $0) }
    case (.float32, .float64): return try castRows(Float.self, Double.self, to: target) { Double($0) }
    case (.float64, .float32):
      return try castRows(Double.self, Float.self, to: target) { value in
        let narrow = Float(value)
        return value.isNaN || Double(narrow) == value ? narrow : nil
      }
    case (.float32, _) where target.isInteger:
      return try castRows(Float.self, Double.self, to: .float64) { Double($0) }.castIntegral(to: target, options, source: self)
    case (.float64, _) where target.isInteger: return try castIntegral(to: target, options, source: self)
    default:
      guard type.isInteger, target.isInteger || target == .float32 || target == .float64 else {
        throw CastError(from: type, to: target, reason: .unsupported)
      }
      return try widenedToInt64(for: target).castFromInt64(to: target, source: self)
    }
  }

  func failedCast(to target: DataType, row: Int) -> CastError {
    CastError(from: type, to: target, reason: .value(row: row, scalar(at: row)))
  }

  /// Converts value by value; nil refuses. Zero goes under nulls.
  /// - Parameter source, errorTarget: what the error speaks of, where this is one step of several.
  @inline(__always) func castRows<From: BitwiseCopyable, To: BitwiseCopyable & Numeric>(
    _: From.Type, _: To.Type, to target: DataType, source original: Column? = nil, errorTarget: DataType? = nil,
    _ convert: (From) -> To?
  ) throws(CastError) -> Column {
    let byteCount = count * MemoryLayout<To>.stride
    let buffer = Buffer(byteCapacity: byteCount)
    // SAFETY: the column holds count values of type From, the buffer is ours alone.
    let values = buffer.pointer.bindMemory(to: To.self, capacity: count)
    let source = data.start.assumingMemoryBound(to: From.self)
    for row in 0..<count {
      if let validity, !validity[row] {
        values[row] = 0
      } else {
        guard let value = convert(source[row]) else { throw (original ?? self).failedCast(to: errorTarget ?? target, row: row) }
        values[row] = value
      }
    }
    return Column(type: target, count: count, validity: validity, data: BufferSlice(buffer, byteCount: byteCount))
  }

  private func castToBinary() -> Column {
    let width = type.byteWidth ?? 0
    let ends = Buffer(byteCapacity: (count + 1) * 8)
    for row in 0...count { ends.pointer.storeBytes(of: Int64(row * width), toByteOffset: row * 8, as: Int64.self) }
    return Column(
      type: .binary, count: count, validity: validity, data: data, offsets: BufferSlice(ends, byteCount: (count + 1) * 8))
  }

  private func castToString() throws(CastError) -> Column {
    let values = bytes
    for row in 0..<count where isValid(row) && String(validating: values[row], as: UTF8.self) == nil {
      throw failedCast(to: .string, row: row)
    }
    return reinterpreted(as: .string)
  }
}
