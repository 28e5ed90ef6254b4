import Columns

/// Compares rows of two batches pair by pair, a column at a time.
enum RowComparison {
  /// Whether pair `i` (row `left[i]` of `a`, row `right[i]` of `b`) differs in any column.
  /// - Precondition: equal schemas; values are canonical, so that equal values have equal bits.
  /// - Complexity: O(pairs × columns)
  static func differs(_ a: Batch, _ left: [Int32], _ b: Batch, _ right: [Int32]) -> [Bool] {
    var result = [Bool](repeating: false, count: left.count)
    for (mine, theirs) in zip(a.columns, b.columns) {
      mark(&result, mine, left, theirs, right)
    }
    return result
  }

  /// Sets the flag of every pair whose values differ; nulls are equal to nulls.
  static func mark(_ result: inout [Bool], _ a: Column, _ left: [Int32], _ b: Column, _ right: [Int32]) {
    switch a.type {
    case .bool:
      let (x, y) = (a.bits, b.bits)
      mark(&result, a, left, b, right) { x[$0] == y[$1] }
    case .string, .binary:
      let (x, y) = (a.bytes, b.bytes)
      mark(&result, a, left, b, right) { x[$0].elementsEqual(y[$1]) }
    default:
      switch a.type.byteWidth {
      case 1: markFixed(&result, a, left, b, right, UInt8.self)
      case 2: markFixed(&result, a, left, b, right, UInt16.self)
      case 4: markFixed(&result, a, left, b, right, UInt32.self)
      case 8: markFixed(&result, a, left, b, right, UInt64.self)
      default: markFixed(&result, a, left, b, right, UInt128.self)
      }
    }
  }

  private static func markFixed<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ result: inout [Bool], _ a: Column, _ left: [Int32], _ b: Column, _ right: [Int32], _: Bits.Type
  ) {
    let (x, y) = (a.values(Bits.self), b.values(Bits.self))
    mark(&result, a, left, b, right) { x[$0] == y[$1] }
  }

  @inline(__always) private static func mark(
    _ result: inout [Bool], _ a: Column, _ left: [Int32], _ b: Column, _ right: [Int32], equal: (Int, Int) -> Bool
  ) {
    for pair in result.indices {
      let (i, j) = (Int(left[pair]), Int(right[pair]))
      let valid = a.isValid(i)
      if valid != b.isValid(j) || (valid && !equal(i, j)) { result[pair] = true }
    }
  }
}
