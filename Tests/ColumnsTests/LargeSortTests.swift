import Columns
import Testing

/// Sorts large enough for buckets and threads, of keys with skewed, sparse, dense and missing values.
@Suite struct LargeSortTests {
  private static let rowCount = 140_003

  private enum Shape: String, CaseIterable { case mostlyOneValue, farOutlier, fullRange, clusters }

  private func value(_ shape: Shape, _ random: inout SeededRandom) -> Int64 {
    let bits = random.next()
    return switch shape {
    case .mostlyOneValue: bits % 10 == 0 ? Int64(bits >> 40) : 5
    case .farOutlier: bits % 5000 == 0 ? Int64.max - Int64(bits >> 50) : Int64(bits % 3000)
    case .fullRange: Int64(bitPattern: bits)
    case .clusters: Int64(bits % 7) << 40 + Int64(bits >> 32 % 900)
    }
  }

  @Test func skewedKeysWithNullsAreSortedAndStable() {
    for (seed, shape) in Shape.allCases.enumerated() {
      for hasNulls in [false, true] {
        var random = SeededRandom(seed: UInt64(300 + seed))
        var first = ColumnBuilder(.int64, capacity: Self.rowCount)
        var second = ColumnBuilder(.int32, capacity: Self.rowCount)
        var plain: [(Int64, Int32)] = []
        for _ in 0..<Self.rowCount {
          let isNull = hasNulls && random.next() % 9 == 0
          let x = value(shape, &random)
          let y = Int32(truncatingIfNeeded: random.next() % 40)
          if isNull { first.appendNull() } else { first.append(x) }
          second.append(y)
          // Nulls come first: no other value of these shapes is as small, but those of the full range, which are shifted.
          plain.append((isNull ? .min : max(x, .min + 1), y))
        }
        let expected = (0..<Int32(Self.rowCount)).sorted { a, b in
          let (x, y) = (plain[Int(a)], plain[Int(b)])
          return (x.0, x.1, a) < (y.0, y.1, b)
        }
        #expect(SortKernel.permutation(by: [first.finish(), second.finish()]) == expected, "\(shape), nulls \(hasNulls)")
      }
    }
  }

  @Test func textBehindNumbersIsRefinedInEachBucket() {
    var random = SeededRandom(seed: 310)
    let names = (0..<50).map { "name/with/a/long/shared/prefix/\($0 * 7 % 50)" }
    var (numbers, texts) = (ColumnBuilder(.int16, capacity: Self.rowCount), ColumnBuilder(.string))
    var plain: [(Int16, Int)] = []
    let rank = names.indices.sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) }
    for _ in 0..<Self.rowCount {
      let (x, place) = (Int16(random.next() % 300), Int(random.next() % 50))
      numbers.append(x)
      texts.append(string: names[rank[place]])
      plain.append((x, place))
    }
    let expected = (0..<Int32(Self.rowCount)).sorted { a, b in
      (plain[Int(a)].0, plain[Int(a)].1, a) < (plain[Int(b)].0, plain[Int(b)].1, b)
    }
    #expect(SortKernel.permutation(by: [numbers.finish(), texts.finish()]) == expected)
  }
}
