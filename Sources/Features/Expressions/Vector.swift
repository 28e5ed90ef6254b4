import Columns

/// The values of one step of an evaluation, over at most `ExpressionEvaluator.chunkRowCount` rows.
///
/// A constant holds one value that stands for every row. Values under a null are arbitrary.
struct Vector {
  enum Storage {
    /// Integers, dates (days) and timestamps (microseconds).
    case int(Values<Int64>)
    case double(Values<Double>)
    /// 0 or 1 a row.
    case bool(Values<UInt8>)
    case string(BytesValues)
    /// Unscaled values.
    case decimal(Values<Int128>, scale: Int)
    /// Binary and nested types: the rows of the chunk as they are.
    case opaque(Column)
  }

  var storage: Storage
  /// 1 for a value, 0 for a null; nil when there is no null.
  var valid: Mask?
  var isConstant = false
}

/// A byte a row, 0 or 1.
typealias Mask = Values<UInt8>

extension Values {
  /// New values, written by `fill` into uninitialized memory, which it must fill whole.
  static func filled<Failure: Error>(
    _ count: Int, _ fill: (UnsafeMutablePointer<Element>) throws(Failure) -> Void
  ) throws(Failure) -> Values {
    let byteCount = count * MemoryLayout<Element>.stride
    let buffer = Buffer(byteCapacity: byteCount)
    // SAFETY: the capacity is that of `count` elements, and nobody else knows the buffer yet.
    try fill(buffer.pointer.bindMemory(to: Element.self, capacity: count))
    return Values(BufferSlice(buffer, byteCount: byteCount), count: count)
  }
}

extension Vector {
  static func constant(_ literal: Literal, type: DataType) -> Vector {
    var vector: Vector
    switch literal {
    case .null: return null(type)
    case .bool(let value): vector = Vector(storage: .bool(.filled(1) { $0[0] = value ? 1 : 0 }))
    case .int(let value), .timestamp(let value): vector = Vector(storage: .int(.filled(1) { $0[0] = value }))
    case .date(let value): vector = Vector(storage: .int(.filled(1) { $0[0] = Int64(value) }))
    case .double(let value): vector = Vector(storage: .double(.filled(1) { $0[0] = value }))
    case .string(let value): vector = Vector(storage: .string(Column(.string, [.string(value)]).bytes))
    }
    vector.isConstant = true
    return vector
  }

  static func null(_ type: DataType) -> Vector {
    let storage: Storage =
      switch type.domain {
      // No null of an opaque type is ever made: null takes its type from values that are computed with.
      case .int, .opaque: .int(.filled(1) { $0[0] = 0 })
      case .double: .double(.filled(1) { $0[0] = 0 })
      case .decimal: .decimal(.filled(1) { $0[0] = 0 }, scale: type.decimalScale)
      case .bool: .bool(.filled(1) { $0[0] = 0 })
      case .string: .string(Column(.string, [.string("")]).bytes)
      }
    return Vector(storage: storage, valid: .filled(1) { $0[0] = 0 }, isConstant: true)
  }

  /// A vector of what was computed from `operands`: constant when they all are.
  static func computed(_ storage: Storage, valid: Mask?, from operands: [Vector]) -> Vector {
    let isConstant = operands.allSatisfy(\.isConstant)
    // A constant has a mask only when it is null, so that masks of different lengths never meet.
    if isConstant, let valid, valid[0] != 0 { return Vector(storage: storage, valid: nil, isConstant: true) }
    return Vector(storage: storage, valid: valid, isConstant: isConstant)
  }

  var isNullConstant: Bool { isConstant && valid.map { $0[0] == 0 } ?? false }

  func isValid(_ row: Int) -> Bool { valid.map { $0[isConstant ? 0 : row] != 0 } ?? true }

  // The checker has established the domain, so that another one is a programmer's error.

  var ints: Values<Int64> {
    guard case .int(let values) = storage else { preconditionFailure("The checker let a value of another domain through") }
    return values
  }

  var doubles: Values<Double> {
    guard case .double(let values) = storage else { preconditionFailure("The checker let a value of another domain through") }
    return values
  }

  /// Those of integers too, which have no digits behind the point.
  var decimals: (values: Values<Int128>, scale: Int) {
    switch storage {
    case .decimal(let values, let scale): return (values, scale)
    case .int(let values): return (mapValues(values) { Int128($0) }, 0)
    default: preconditionFailure("The checker let a value of another domain through")
    }
  }

  var bools: Mask {
    guard case .bool(let values) = storage else { preconditionFailure("The checker let a value of another domain through") }
    return values
  }

  var strings: BytesValues {
    guard case .string(let values) = storage else { preconditionFailure("The checker let a value of another domain through") }
    return values
  }
}

// MARK: Loops over rows

/// `body` of every value; one when constant.
@inline(__always) func mapValues<A: BitwiseCopyable, R: BitwiseCopyable>(_ a: Values<A>, _ body: (A) -> R) -> Values<R> {
  let count = a.count
  return Values<R>.filled(count) { target in
    a.withPointer { a in for row in 0..<count { target[row] = body(a[row]) } }
  }
}

/// `body` of every pair; a side with one value where the other has more is constant.
@inline(__always) func mapPairs<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
  _ a: Values<A>, _ b: Values<B>, _ body: (A, B) -> R
) -> Values<R> {
  // Three loops, so that each of them vectorizes.
  if b.count == 1 {
    let right = b[0]
    return mapValues(a) { body($0, right) }
  }
  if a.count == 1 {
    let left = a[0]
    return mapValues(b) { body(left, $0) }
  }
  let count = a.count
  return Values<R>.filled(count) { target in
    a.withPointer { a in b.withPointer { b in for row in 0..<count { target[row] = body(a[row], b[row]) } } }
  }
}

/// The rows where both masks are set; nil is all rows.
func intersection(_ a: Mask?, _ b: Mask?) -> Mask? {
  guard let a else { return b }
  guard let b else { return a }
  return mapPairs(a, b) { $0 & $1 }
}
