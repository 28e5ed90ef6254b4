import Columns
import Testing

/// Every kernel over slices at every offset from 0 to 70, against plain lists of values: bits and validity begin within a byte, behind
/// whole bytes, and behind whole words.
@Suite struct SliceOffsetTests {
  static let offsets = 0...70
  static let rowCount = 21

  static let keyTypes = flatTypes.filter { type in
    switch type {
    case .decimal, .fixedBinary, .time, .duration: false
    default: !type.isFloat
    }
  }

  /// A slice, and a column of its own with the same values.
  private struct Pair {
    let slice: Column
    let plain: Column
    /// Canonical.
    let values: [Scalar]
    /// Numbers in the order of the values: equal for equal ones, 0 for null.
    let ranks: [Int]
    let place: String
  }

  private static func slices(_ type: DataType, nulls: Bool, seed: UInt64, _ body: (Pair) throws -> Void) rethrows {
    var random = SeededRandom(seed: seed)
    let whole = random.column(type, count: 70 + rowCount, nulls: nulls, narrow: true)
    let scalars = whole.scalars
    let (values, ranks) = (scalars.map(canonical), Self.ranks(whole))
    for offset in offsets {
      let rows = offset..<offset + rowCount
      // Every third in two steps.
      let step = offset % 3 == 0 ? offset * 5 / 7 : 0
      let outer = step == 0 ? whole : whole.slice(from: step, count: whole.count - step)
      try body(
        Pair(
          slice: outer.slice(from: offset - step, count: rowCount), plain: Column(type, Array(scalars[rows])), values: Array(values[rows]),
          ranks: Array(ranks[rows]), place: "\(type), nulls \(nulls), offset \(offset) by way of \(step)"))
    }
  }

  private static func ranks(_ column: Column) -> [Int] {
    let order = naivePermutation([column])
    var ranks = [Int](repeating: 0, count: column.count)
    var rank = 0
    for (place, row) in order.enumerated() {
      if place == 0 || naiveOrder([column], Int(order[place - 1]), [column], Int(row)) != 0 { rank += 1 }
      ranks[Int(row)] = rank
    }
    return ranks
  }

  /// The stable order of rows by numbers.
  private static func order(_ ranks: [(Int, Int)]) -> [Int32] {
    ranks.indices.sorted { (ranks[$0].0, ranks[$0].1, $0) < (ranks[$1].0, ranks[$1].1, $1) }.map { Int32($0) }
  }

  @Test(arguments: flatTypes, [false, true]) func valuesAreThoseOfTheSlice(type: DataType, nulls: Bool) {
    Self.slices(type, nulls: nulls, seed: 31) { pair in
      let (slice, plain) = (pair.slice, pair.plain)
      #expect(slice.scalars.map(canonical) == pair.values, "\(pair.place)")
      #expect(slice.nullCount == plain.nullCount && slice.byteCount == plain.byteCount, "\(pair.place)")
      #expect(slice.equalsExactly(plain) && plain.equalsExactly(slice), "\(pair.place)")
      #expect(slice.canonicalized().scalars.map(canonical) == pair.values, "\(pair.place)")
      if type == .bool { #expect(slice.withoutValidity().bits.array == plain.withoutValidity().bits.array, "\(pair.place)") }
    }
  }

  @Test(arguments: flatTypes, [false, true]) func rowsAreSelectedAndStrungTogether(type: DataType, nulls: Bool) {
    var random = SeededRandom(seed: 32)
    let flags = (0..<80).map { _ in Bool.random(using: &random) }
    let bits = Bitmap(flags)
    let indices = (0..<30).map { _ in Int32.random(in: -1..<Int32(Self.rowCount), using: &random) }
    Self.slices(type, nulls: nulls, seed: 33) { pair in
      let (slice, plain, values) = (pair.slice, pair.plain, pair.values)
      #expect(slice.take(indices).scalars.map(canonical) == indices.map { $0 < 0 ? .null : values[Int($0)] }, "\(pair.place)")
      let start = Int(random.next() % 50)
      let mask = bits.slice(from: start, count: Self.rowCount)
      let kept = (0..<Self.rowCount).filter { flags[start + $0] }
      #expect(mask.setCount == kept.count && slice.filter(mask).scalars.map(canonical) == kept.map { values[$0] }, "\(pair.place)")
      let part = slice.slice(from: 9, count: 11)
      let both = values + values[9..<20] + values
      #expect(Column.concatenate([plain, part, slice]).scalars.map(canonical) == both, "\(pair.place)")
      var splice = Splice()
      splice.append(fromSecond: true, start: 1, count: 10)
      splice.append(fromSecond: false, start: 3, count: 15)
      #expect(
        Column.splice(slice, part, splice).scalars.map(canonical) == Array(values[10..<20]) + values[3..<18], "\(pair.place)")
      let schema = Schema([Field("c", type)])
      let list = BatchList([plain, slice].map { Batch(schema: schema, columns: [$0], rowCount: $0.count) }, schema: schema)
      let rows: [Int32] = [0, 20, 21, 40, 33, 3, 35]
      #expect(list.take(rows).columns[0].scalars.map(canonical) == rows.map { values[Int($0) % Self.rowCount] }, "\(pair.place)")
      var stretches = StretchList()
      stretches.append(batch: 1, start: 5, count: 11)
      stretches.append(batch: 0, start: 2, count: 1)
      #expect(Column.gather([plain, slice], stretches).scalars.map(canonical) == Array(values[5..<16]) + [values[2]], "\(pair.place)")
    }
  }

  @Test(arguments: flatTypes, [false, true]) func rowsAreOrdered(type: DataType, nulls: Bool) {
    let numbers = Column(.int64, (0..<Self.rowCount).map { .int(Int64($0 % 3)) })
    Self.slices(type, nulls: nulls, seed: 34) { pair in
      // Alone, and in each place of a composite key.
      let ranks = pair.ranks
      for (keys, model) in [
        ([pair.slice], ranks.map { ($0, 0) }), ([pair.slice, numbers], ranks.indices.map { (ranks[$0], $0 % 3) }),
        ([numbers, pair.slice], ranks.indices.map { ($0 % 3, ranks[$0]) }),
      ] {
        let expected = Self.order(model)
        #expect(SortKernel.permutation(by: keys) ?? Array(0..<Int32(Self.rowCount)) == expected, "\(pair.place)")
        let sorted = keys.map { $0.take(expected) }
        let distinct = expected.indices.filter { $0 == 0 || model[Int(expected[$0])] != model[Int(expected[$0 - 1])] }
        #expect(SortKernel.distinctRows(in: sorted) == distinct.map { Int32($0) }, "\(pair.place)")
        let inversion = model.indices.dropFirst().first { model[$0 - 1] > model[$0] }
        #expect(SortKernel.firstInversion(in: keys) == inversion, "\(pair.place)")
        #expect(SortKernel.firstDuplicate(in: keys) == model.indices.dropFirst().first { model[$0 - 1] == model[$0] }, "\(pair.place)")
      }
      let isCompared = ranks.indices.allSatisfy { row in
        let other = (row * 7 + 3) % Self.rowCount
        return SortKernel.compareRows([pair.slice], row, [pair.plain], other).signum() == (ranks[row] - ranks[other]).signum()
      }
      #expect(isCompared, "\(pair.place)")
    }
  }

  @Test(arguments: flatTypes, [false, true]) func sortedRowsAreMerged(type: DataType, nulls: Bool) {
    var random = SeededRandom(seed: 38)
    let whole = random.column(type, count: 70 + Self.rowCount, nulls: nulls, narrow: true)
    let (sorted, ranks) = (whole.take(naivePermutation([whole])), Self.ranks(whole).sorted())
    for offset in Self.offsets {
      let other = 70 - offset * 3 % 71
      let (mine, theirs) = (sorted.slice(from: offset, count: Self.rowCount), sorted.slice(from: other, count: Self.rowCount))
      let both = (ranks[offset..<offset + Self.rowCount] + ranks[other..<other + Self.rowCount]).map { ($0, 0) }
      #expect(SortKernel.merge([mine], [theirs]) == Self.order(both), "\(type), nulls \(nulls), offsets \(offset) and \(other)")
    }
  }

  @Test(arguments: keyTypes) func keysAreThoseOfTheSlice(type: DataType) throws {
    let texts = Column(.string, (0..<Self.rowCount).map { .string($0 % 4 == 0 ? "a\0b" : "k\($0)") })
    let rows = 3..<Self.rowCount - 2
    try Self.slices(type, nulls: false, seed: 35) { pair in
      let (slice, plain) = (pair.slice, pair.plain)
      for (columns, model) in [
        ([slice], [plain]), ([slice, texts], [plain, texts]), ([texts, slice], [texts, plain]),
        ([slice, texts, slice], [plain, texts, plain]),
      ] {
        let (keys, wanted) = (try KeyEncoder.encodeAll(columns, rows: rows), try KeyEncoder.encodeAll(model, rows: rows))
        #expect((0..<rows.count).allSatisfy { keys.array(at: $0) == wanted.array(at: $0) }, "\(pair.place)")
        let row = rows.lowerBound + pair.ranks[0] % rows.count
        let key = try KeyEncoder.encode(columns, row: row)
        let values = try KeyEncoder.decode(key, types: model.map(\.type))
        #expect(keys.array(at: row - rows.lowerBound) == key && values == model.map { $0.scalar(at: row) }, "\(pair.place)")
      }
    }
  }

  @Test(arguments: flatTypes) func keysAreFoundInSlices(type: DataType) {
    var random = SeededRandom(seed: 36)
    let values = random.column(type, count: 97, nulls: false, narrow: true)
    let (whole, ranks) = (values.take(naivePermutation([values])), Self.ranks(values).sorted())
    // Behind equal values a second column counts on, so that no key comes twice.
    let minor = ranks.indices.map { row in row - (ranks.firstIndex(of: ranks[row]) ?? 0) }
    let numbers = Column(.int32, minor.map { .int(Int64($0)) })
    for offset in Self.offsets {
      let stored = [whole, numbers].map { $0.slice(from: offset, count: Self.rowCount) }
      let first = 70 - offset
      let wanted = [whole, numbers].map { $0.slice(from: first, count: 27) }
      var search = KeySearch(wantedCount: 27, storedCount: Self.rowCount)
      search.narrow(stored: stored[0], wanted: wanted[0])
      if let open = search.openRows {
        search.narrow(stored: stored[1].slice(from: open.lowerBound, count: open.count), firstRow: open.lowerBound, wanted: wanted[1])
      }
      // Rows of both are numbered alike.
      let expected = (first..<first + 27).map { (offset..<offset + Self.rowCount).contains($0) ? $0 - offset : nil }
      #expect((0..<27).map { search.match($0) } == expected, "\(type), offset \(offset)")
    }
  }

  @Test func boolsAreCastAndReinterpretedInSlices() throws {
    try Self.slices(.bool, nulls: true, seed: 37) { pair in
      let (slice, plain, place) = (pair.slice, pair.plain, pair.place)
      let cast = try slice.cast(to: .bool)
      #expect(cast.scalars == plain.scalars, "\(place)")
      #expect(slice.reinterpreted(as: .bool).scalars == plain.scalars, "\(place)")
      #expect(slice.bits.setIndices == plain.bits.setIndices, "\(place)")
      #expect(slice.bits.compactedBits == plain.bits.array, "\(place)")
    }
  }
}

extension Bitmap {
  /// Through words, as kernels read.
  fileprivate var compactedBits: [Bool] {
    stride(from: 0, to: count, by: 64).flatMap { start in
      (0..<min(64, count - start)).map { word(at: start) >> UInt64($0) & 1 == 1 }
    }
  }
}
