import Columns
import Testing

@Suite struct SortTests {
  @Test(arguments: flatTypes, [false, true]) func oneKeyMatchesPlainSort(type: DataType, nulls: Bool) {
    var random = SeededRandom(seed: 21)
    for (count, narrow) in [(2, false), (40, true), (1500, false), (1500, true)] {
      let key = random.column(type, count: count + 3, nulls: nulls, narrow: narrow).slice(from: 3, count: count)
      let expected = naivePermutation([key])
      #expect(SortKernel.permutation(by: [key]) ?? Array(0..<Int32(count)) == expected)
      let sorted = key.take(expected)
      #expect(SortKernel.permutation(by: [sorted]) == nil)
      let duplicate = (1..<count).first { naiveOrder([sorted], $0 - 1, [sorted], $0) == 0 }
      #expect(SortKernel.firstDuplicate(in: [sorted]) == duplicate)
    }
  }

  @Test func severalKeysMatchPlainSort() {
    for seed in UInt64(100)..<160 {
      var random = SeededRandom(seed: seed)
      let count = Int.random(in: 2...900, using: &random)
      let keys = (0..<Int.random(in: 1...4, using: &random)).map { _ -> Column in
        let type = flatTypes.randomElement(using: &random)!
        return random.column(type, count: count, nulls: Bool.random(using: &random), narrow: random.next() % 3 > 0)
      }
      let expected = naivePermutation(keys)
      #expect(SortKernel.permutation(by: keys) ?? Array(0..<Int32(count)) == expected, "seed \(seed), types \(keys.map(\.type))")
      let (i, j) = (Int.random(in: 0..<count, using: &random), Int.random(in: 0..<count, using: &random))
      #expect(SortKernel.compareRows(keys, i, keys, j).signum() == naiveOrder(keys, i, keys, j))
    }
  }

  /// Large enough for partitions, radix passes and threads; checked against a plain sort of tuples.
  @Test(arguments: [UInt64.max, 1000, 3]) func manyRowsAreSortedAndStable(distinct: UInt64) {
    var random = SeededRandom(seed: 22)
    let count = 140_000
    let first = (0..<count).map { _ in Int64(bitPattern: random.next() % distinct) }
    let second = (0..<count).map { _ in Int64(bitPattern: random.next() % distinct) }
    var (a, b) = (ColumnBuilder(.int64, capacity: count), ColumnBuilder(.timestampMicros, capacity: count))
    for row in 0..<count {
      a.append(first[row])
      b.append(second[row])
    }
    let expected = (0..<Int32(count)).sorted { x, y in
      (first[Int(x)], second[Int(x)], x) < (first[Int(y)], second[Int(y)], y)
    }
    #expect(SortKernel.permutation(by: [a.finish(), b.finish()]) == expected)
  }

  @Test func longEqualStringsAreOrderedByTheNextKey() {
    let long = String(repeating: "equal beginning ", count: 60)
    let text = Column(.string, (0..<600).map { .string(long + ($0 % 2 == 0 ? "" : "\0")) } + [.string("x")])
    let number = Column(.int32, (0..<601).map { .int(Int64(600 - $0)) })
    #expect(SortKernel.permutation(by: [text, number]) == naivePermutation([text, number]))
  }

  @Test func zeroBytesAndLengthsAreTold() {
    let texts: [[UInt8]] = [[0], [], [0, 0], [1], [0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0], [0, 1]]
    let column = Column(.binary, texts.map { .binary($0) })
    #expect(SortKernel.permutation(by: [column]) == [1, 0, 2, 4, 5, 6, 3])
  }

  @Test func noKeysOrRowsNeedNoOrder() {
    #expect(SortKernel.permutation(by: []) == nil)
    #expect(SortKernel.permutation(by: [Column(.int64, [])]) == nil)
    #expect(SortKernel.firstDuplicate(in: [Column(.int64, [])]) == nil)
    #expect(SortKernel.firstDuplicate(in: [Column(.int64, [.int(1), .int(2), .int(2)])]) == 2)
  }

  @Test func mergeKeepsOrderAndPutsTheFirstSetFirst() {
    for seed in UInt64(200)..<240 {
      var random = SeededRandom(seed: seed)
      let types = (0..<Int.random(in: 1...3, using: &random)).map { _ in flatTypes.randomElement(using: &random)! }
      func sortedKeys(_ count: Int) -> [Column] {
        let keys = types.map { random.column($0, count: count, nulls: true, narrow: random.next() % 2 == 0) }
        return SortKernel.permutation(by: keys).map { order in keys.map { $0.take(order) } } ?? keys
      }
      let a = sortedKeys(Int(random.next() % 300))
      let b = sortedKeys(seed % 3 == 0 ? 5 : Int(random.next() % 300))
      let together = zip(a, b).map { Column.concatenate([$0, $1]) }
      let expected = naivePermutation(together)
      #expect(SortKernel.merge(a, b) == expected, "seed \(seed), types \(types)")
    }
  }
}
