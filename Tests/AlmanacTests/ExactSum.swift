/// Exact sums of doubles by error-free transformation into partials that do not overlap.
///
/// J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic" (1997), as Python's `math.fsum` does it. The engine adds in
/// fixed point, so this is a second way to the same numbers.
struct ExactSum {
  private var partials: [Double] = []

  init(_ values: [Double] = []) { for value in values { add(value) } }

  mutating func add(_ value: Double) {
    var high = value
    var kept: [Double] = []
    for var other in partials {
      if abs(high) < abs(other) { swap(&high, &other) }
      let sum = high + other
      let rest = other - (sum - high)
      if rest != 0 { kept.append(rest) }
      high = sum
    }
    partials = kept + [high]
  }

  /// The sum, rounded once to nearest, ties to even.
  var rounded: Double {
    guard var high = partials.last else { return 0 }
    var rest = 0.0
    var index = partials.count - 1
    while index > 0 && rest == 0 {
      index -= 1
      let sum = high + partials[index]
      rest = partials[index] - (sum - high)
      high = sum
    }
    // Half way by the first two partials: the sign of the next one decides.
    if index > 0 && ((rest < 0 && partials[index - 1] < 0) || (rest > 0 && partials[index - 1] > 0)) {
      let twice = rest * 2
      let other = high + twice
      if twice == other - high { high = other }
    }
    return high
  }

  /// The sum over `count`, rounded once: of the doubles about the rounded quotient the one whose product with `count` comes
  /// nearest to the sum; of two equally near, the even one.
  func mean(of count: Int) -> Double {
    let guess = rounded / Double(count)
    return [guess.nextDown, guess, guess.nextUp].min { a, b in
      var difference = distance(toProductOf: a, Double(count))
      for part in distance(toProductOf: b, Double(count)).partials { difference.add(-part) }
      let sign = difference.rounded
      return sign == 0 ? a.significandBitPattern % 2 < b.significandBitPattern % 2 : sign < 0
    }!
  }

  /// The exact distance; never negative.
  private func distance(toProductOf quotient: Double, _ count: Double) -> ExactSum {
    let product = quotient * count
    var difference = self
    difference.add(-product)
    // What rounding took from the product, exact by the fused operation.
    difference.add(product.addingProduct(-quotient, count))
    return difference.rounded < 0 ? ExactSum(difference.partials.map { -$0 }) : difference
  }
}
