import Columns

extension ExpressionEvaluator {
  /// The rows that keep their value in a cast.
  ///
  /// - Throws: for an active row for which `fails` holds, unless the cast is a `try_cast`: that row is then null.
  func checked(
    _ node: ExpressionNode, _ value: Vector, _ active: Mask?, rowCount: Int, _ fails: (Int) -> Bool, _ text: (Int) -> String
  ) throws(EvaluationFailure) -> Mask? {
    guard case .convert(_, isTry: true) = node.operation else {
      try failIfAny(node, valid: value.valid, active, rowCount: rowCount, fails, text)
      return value.valid
    }
    return Mask.filled(rowCount) { target in for row in 0..<rowCount { target[row] = value.isValid(row) && !fails(row) ? 1 : 0 } }
  }

  /// - Throws: for a value outside the range of the type, and for a string that is none of its values.
  func convert(
    _ value: Vector, from: DataType, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    if value.isNullConstant { return .null(node.type) }
    let to = node.type
    if case .decimal(let precision, let scale) = to {
      return try convertToDecimal(value, precision, scale, node, active)
    }
    switch value.storage {
    case .int(let ints): return try convertInts(ints, value, from, to, node, active)
    case .double(let doubles): return try convertDoubles(doubles, value, to, node, active)
    case .bool(let bools):
      switch to.domain {
      case .int: return .computed(.int(mapValues(bools) { Int64($0) }), valid: value.valid, from: [value])
      case .double: return .computed(.double(mapValues(bools) { Double($0) }), valid: value.valid, from: [value])
      case .string: return strings(value, bools.count) { bools[$0] != 0 ? "true" : "false" }
      case .bool, .decimal, .opaque: return value
      }
    case .string(let strings): return try parse(strings, value, to, node, active)
    case .decimal(let decimals, let scale): return try convertDecimals(decimals, scale, value, node, active)
    case .opaque: preconditionFailure("The checker casts no \(from)")
    }
  }

  func strings(_ value: Vector, _ rowCount: Int, _ text: (Int) -> String) -> Vector {
    let result = makeStrings(rowCount) { row, target in
      guard value.isValid(row) else { return }
      var string = text(row)
      string.withUTF8 { target.append(bytes: UnsafeRawBufferPointer($0)) }
    }
    return .computed(.string(result), valid: value.valid, from: [value])
  }

  private func convertInts(
    _ ints: Values<Int64>, _ value: Vector, _ from: DataType, _ to: DataType, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    func result(_ storage: Vector.Storage) -> Vector { .computed(storage, valid: value.valid, from: [value]) }
    switch to {
    case .bool: return result(.bool(mapValues(ints) { $0 != 0 ? 1 : 0 }))
    case .float64: return result(.double(mapValues(ints) { Double($0) }))
    case .float32: return result(.double(mapValues(ints) { Double(Float($0)) }))
    case .string:
      return strings(value, ints.count) {
        from == .date ? CivilTime.formatDate(days: ints[$0]) : from.isTimestamp ? CivilTime.formatTimestampMicros(ints[$0]) : "\(ints[$0])"
      }
    case .date where from.isTimestamp: return result(.int(mapValues(ints) { CivilTime.dayNumber(ofMicros: $0) }))
    case .timestamp where from == .date:
      let valid = try checked(
        node, value, active, rowCount: ints.count, { ints[$0].multipliedReportingOverflow(by: Self.microsPerDay).overflow }
      ) {
        "date \(CivilTime.formatDate(days: ints[$0])) lies outside the range of timestamps"
      }
      return .computed(.int(mapValues(ints) { $0 &* Self.microsPerDay }), valid: valid, from: [value])
    default:
      guard let range = to.integerRange else { return value }
      let valid = try checked(node, value, active, rowCount: ints.count, { !range.contains(ints[$0]) }) {
        "\(ints[$0]) lies outside \(to)"
      }
      return .computed(value.storage, valid: valid, from: [value])
    }
  }

  private static let microsPerDay: Int64 = 86_400_000_000

  private func convertDoubles(
    _ doubles: Values<Double>, _ value: Vector, _ to: DataType, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    func result(_ storage: Vector.Storage) -> Vector { .computed(storage, valid: value.valid, from: [value]) }
    switch to {
    case .bool: return result(.bool(mapValues(doubles) { $0 != 0 ? 1 : 0 }))
    case .float32: return result(.double(mapValues(doubles) { Double(Float($0)) }))
    case .string: return strings(value, doubles.count) { "\(doubles[$0])" }
    default:
      guard let range = to.integerRange else { return value }
      // Halves round to even, as in IEEE 754 and DuckDB.
      func integer(_ x: Double) -> Int64? {
        Int64(exactly: x.rounded(.toNearestOrEven)).flatMap { range.contains($0) ? $0 : nil }
      }
      let valid = try checked(node, value, active, rowCount: doubles.count, { integer(doubles[$0]) == nil }) {
        "\(doubles[$0]) lies outside \(to)"
      }
      return .computed(.int(mapValues(doubles) { integer($0) ?? 0 }), valid: valid, from: [value])
    }
  }

  private func parse(
    _ texts: BytesValues, _ value: Vector, _ to: DataType, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    let rowCount = texts.count
    var valid = value.valid
    func text(_ row: Int) -> Substring { Self.trimmed(texts.string(at: row)) }
    func values<T: BitwiseCopyable>(_ zero: T, _ parse: (Substring) -> T?) throws(EvaluationFailure) -> Values<T> {
      var bad = false
      let result = Values<T>.filled(rowCount) { target in
        for row in 0..<rowCount {
          let parsed = value.isValid(row) ? parse(text(row)) : zero
          bad = bad || parsed == nil
          target[row] = parsed ?? zero
        }
      }
      if bad {
        valid = try checked(node, value, active, rowCount: rowCount, { parse(text($0)) == nil }) {
          "'\(texts.string(at: $0).prefix(60))' is no \(to)"
        }
      }
      return result
    }
    let storage: Vector.Storage
    switch to {
    case .string: return value
    case .bool: storage = .bool(try values(0) { Self.bool(parsing: $0) })
    case .float64: storage = .double(try values(0) { Self.double(parsing: $0) })
    case .float32: storage = .double(try values(0) { Self.double(parsing: $0).flatMap { Float(nearest: $0) }.map { Double($0) } })
    case .date: storage = .int(try values(0) { CivilTime.parseDate(String($0)).map(Int64.init) })
    case .timestamp: storage = .int(try values(0) { CivilTime.parseTimestamp(String($0)) })
    default:
      let range = to.integerRange ?? Int64.min...Int64.max
      storage = .int(try values(0) { Int64($0).flatMap { range.contains($0) ? $0 : nil } })
    }
    return .computed(storage, valid: valid, from: [value])
  }

  /// Without the blanks around it.
  static func trimmed(_ text: String) -> Substring {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    return Substring(text).drop(while: isBlank).reversedDrop(while: isBlank)
  }

  private static func bool(parsing text: Substring) -> UInt8? {
    switch text.lowercased() {
    case "true", "t", "yes", "y", "1": 1
    case "false", "f", "no", "n", "0": 0
    default: nil
    }
  }

  /// Decimal notation, `inf` and `nan`; no hexadecimal floats, and nothing beyond the doubles.
  private static func double(parsing text: Substring) -> Double? {
    var text = text
    return text.withUTF8 { NumberText.parseDouble(UnsafeRawBufferPointer($0)) }
  }
}

extension Substring {
  fileprivate func reversedDrop(while predicate: (Character) -> Bool) -> Substring {
    var result = self
    while let last = result.last, predicate(last) { result.removeLast() }
    return result
  }
}

extension DataType {
  /// The values of an integer type, as far as int64 holds them; nil for other types.
  var integerRange: ClosedRange<Int64>? {
    switch self {
    case .int8: Int64(Int8.min)...Int64(Int8.max)
    case .int16: Int64(Int16.min)...Int64(Int16.max)
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .int64: Int64.min...Int64.max
    default: nil
    }
  }
}
