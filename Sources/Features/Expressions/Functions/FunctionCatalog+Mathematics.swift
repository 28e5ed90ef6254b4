import Columns
import Glibc

extension FunctionCatalog {
  private static func real(_ body: @escaping @Sendable (Double) -> Double) -> [Overload] { [.double([.double]) { body($0.double(0)) }] }

  private static func test(_ body: @escaping @Sendable (Double) -> Bool) -> [Overload] { [.bool([.double]) { body($0.double(0)) }] }

  static let mathematics: [String: [Overload]] = [
    "sin": real(Glibc.sin), "cos": real(Glibc.cos), "tan": real(Glibc.tan), "cot": real { 1 / Glibc.tan($0) },
    "asin": real(Glibc.asin), "acos": real(Glibc.acos), "atan": real(Glibc.atan),
    "sinh": real(Glibc.sinh), "cosh": real(Glibc.cosh), "tanh": real(Glibc.tanh),
    "asinh": real(Glibc.asinh), "acosh": real(Glibc.acosh), "atanh": real(Glibc.atanh),
    "atan2": [.double([.double, .double]) { Glibc.atan2($0.double(0), $0.double(1)) }],
    "degrees": real { $0 * (180 / .pi) }, "radians": real { $0 * (.pi / 180) },
    "cbrt": real(Glibc.cbrt), "log2": real(Glibc.log2),
    "log": [
      .double([.double]) { Glibc.log10($0.double(0)) },
      .double([.double, .double]) { Glibc.log10($0.double(1)) / Glibc.log10($0.double(0)) },
    ],
    "power": [.double([.double, .double]) { Glibc.pow($0.double(0), $0.double(1)) }],
    "pi": [.double([]) { _ in Double.pi }],
    "sign": [
      .int([.int]) { $0.int(0).signum() },
      .int([.double]) { $0.double(0) > 0 ? 1 : $0.double(0) < 0 ? -1 : 0 },
    ],
    "trunc": [
      .int([.int]) { $0.int(0) },
      .double([.double]) { $0.double(0).rounded(.towardZero) },
      .double([.double, .int]) { scaled($0.double(0), digits: $0.int(1), .towardZero) },
    ],
    "floor": [.double([.double, .int]) { scaled($0.double(0), digits: $0.int(1), .down) }],
    "ceil": [.double([.double, .int]) { scaled($0.double(0), digits: $0.int(1), .up) }],
    "isnan": test(\.isNaN), "isinf": test(\.isInfinite), "isfinite": test(\.isFinite),
    "//": [
      .int([.int, .int]) { (row) throws(KernelFailure) in
        guard row.int(1) != 0 else { return nil }
        let (quotient, overflow) = row.int(0).dividedReportingOverflow(by: row.int(1))
        guard !overflow else { throw KernelFailure(text: "\(row.int(0)) // \(row.int(1)) overflows int64") }
        return quotient
      }
    ],
    "gcd": [
      .int([.int, .int]) { (row) throws(KernelFailure) in
        guard let result = Int64(exactly: commonDivisor(row.int(0), row.int(1))) else {
          throw KernelFailure(text: "gcd(\(row.int(0)), \(row.int(1))) overflows int64")
        }
        return result
      }
    ],
    "lcm": [
      .int([.int, .int]) { (row) throws(KernelFailure) in
        let divisor = commonDivisor(row.int(0), row.int(1))
        if divisor == 0 { return 0 }
        let (product, overflow) = (row.int(0).magnitude / divisor).multipliedReportingOverflow(by: row.int(1).magnitude)
        guard !overflow, let result = Int64(exactly: product) else {
          throw KernelFailure(text: "lcm(\(row.int(0)), \(row.int(1))) overflows int64")
        }
        return result
      }
    ],
  ]

  /// A value whose scaled form leaves the range of floats has no digits to round.
  private static func scaled(_ value: Double, digits: Int64, _ rule: FloatingPointRoundingRule) -> Double {
    let power = pow(10, Double(min(max(digits.magnitude, 0), 400)))
    let result = digits >= 0 ? (value * power).rounded(rule) / power : (value / power).rounded(rule) * power
    return result.isFinite ? result : digits >= 0 ? value : 0
  }

  private static func commonDivisor(_ a: Int64, _ b: Int64) -> UInt64 {
    var (x, y) = (a.magnitude, b.magnitude)
    while y != 0 { (x, y) = (y, x % y) }
    return x
  }

  static let bits: [String: [Overload]] = [
    "&": [.int([.int, .int]) { $0.int(0) & $0.int(1) }],
    "|": [.int([.int, .int]) { $0.int(0) | $0.int(1) }],
    "xor": [.int([.int, .int]) { $0.int(0) ^ $0.int(1) }],
    "~": [.int([.int]) { ~$0.int(0) }],
    "bit_count": [.int([.int]) { Int64($0.int(0).nonzeroBitCount) }],
    "<<": [
      .int([.int, .int]) { (row) throws(KernelFailure) in
        let (value, places) = (row.int(0), row.int(1))
        guard value >= 0, places >= 0, value == 0 || places < value.leadingZeroBitCount else {
          throw KernelFailure(text: "\(value) << \(places) overflows int64")
        }
        return places > 63 ? 0 : value << places
      }
    ],
    ">>": [.int([.int, .int]) { (0..<64).contains($0.int(1)) ? $0.int(0) >> $0.int(1) : 0 }],
  ]
}
